"""Exports of instruments and of programs for them, in the forms that their manuals describe."""

from __future__ import annotations

from instrument_files import Read, Refused

__all__ = ["READ_EXPORTS", "REFUSED_EXPORTS"]

READ_EXPORTS: dict[str, Read] = {
    "nuclear magnetic resonance, one column": Read(
        "# File created = Monday, March 4, 2024 10:15:23 AM CET\n"
        "# Data set = sample-1  1  1  /opt/data\n# Spectral Region:\n"
        "# LEFT = 14.8 ppm. RIGHT = -5.2 ppm.\n#\n# SIZE = 4 ( = number of points)\n#\n"
        "# In the following ordering is from the 'left' to the 'right' limits!\n"
        "# Lines beginning with '#' must be considered as comment lines.\n#\n-2303.0\n1554.5\n"
        "-12.25\n77.0\n",
        {1: [-2303.0, 1554.5, -12.25, 77.0]},
        None,
        None,
    ),
    "electron spin resonance, without a name of the first column": Read(
        "     \t     Field [G]      \tIntensity\n1\t3.3100000000E+03\t-1.2345678901E+02\n"
        "2\t3.3101000000E+03\t-1.1345678901E+02\n3\t3.3102000000E+03\t1.5E+01\n",
        {2: [3310, 3310.1, 3310.2], 3: [-123.45678901, -113.45678901, 15]},
        ("", "Field [G]", "Intensity"),
        None,
    ),
    "diffractometer, range with points": Read(
        "; C:\\DATA\\sample.uxd\n_FILEVERSION=2\n_SAMPLE='corundum'\n_ANODE='Cu'\n"
        "_WL1=1.540600\n_WL2=1.544390\n; Data for range 1\n_DRIVE='COUPLED'\n"
        "_STEPTIME=1.000000\n_STEPSIZE=0.020000\n_START=20.000000\n_2THETACOUNTS\n"
        "      20.0000       125\n      20.0200       131\n      20.0400       119\n",
        {1: [20, 20.02, 20.04], 2: [125, 131, 119]},
        None,
        None,
    ),
    "network analyser, one port": Read(
        "!Agilent Technologies,E5071C,MY46100000,A.09.30\n!Date: Mon Mar 04 10:15:23 2024\n"
        "!Data & Calibration Information:\n!Freq S11:SOLT1(ON)\n# Hz S RI R 50\n"
        "300000\t9.912e-001\t-1.2e-003\n400000\t9.910e-001\t-1.6e-003\n"
        "500000\t9.907e-001\t-2.1e-003\n",
        {
            1: [300000.0, 400000.0, 500000.0],
            2: [0.9912, 0.991, 0.9907],
            3: [-0.0012, -0.0016, -0.0021],
        },
        None,
        None,
    ),
    "oscilloscope, settings beside the record": Read(
        "Record Length,2.500000e+03,,-00.000500000000,  0.04000,\n"
        "Sample Interval,4.000000e-07,,-00.000499600000,  0.08000,\n"
        "Trigger Point,1.250000000000e+03,,-00.000499200000,  0.04000,\n"
        ",,,-00.000498800000,  0.00000,\n,,,-00.000498400000,  0.04000,\n"
        "Source,CH1,,-00.000498000000,  0.04000,\n"
        "Vertical Units,V,,-00.000497600000,  0.04000,\n,,,-00.000497200000,  0.12000,\n",
        {
            4: [
                -0.0005,
                -0.0004996,
                -0.0004992,
                -0.0004988,
                -0.0004984,
                -0.000498,
                -0.0004976,
                -0.0004972,
            ],
            5: [0.04, 0.08, 0.04, 0, 0.04, 0.04, 0.04, 0.12],
        },
        None,
        None,
    ),
    "oscilloscope, segments": Read(
        "LECROYWS454,12345,Waveform\nSegments,1,SegmentSize,4\n"
        "Segment,TrigTime,TimeSinceSegment1\n#1,04-Mar-2024 10:15:23,0\nTime,Ampl\n"
        "-5.0000025e-006,0.00453125\n-4.9990025e-006,0.0053125\n-4.9980025e-006,0.00140625\n"
        "-4.9970025e-006,0.0021875\n",
        {
            1: [-5.0000025e-06, -4.9990025e-06, -4.9980025e-06, -4.9970025e-06],
            2: [0.00453125, 0.0053125, 0.00140625, 0.0021875],
        },
        ("Time", "Ampl"),
        None,
    ),
    "spectrometer with decimal commas": Read(
        "SpectraSuite Data File\n++++++++++++++++++++++++++++++++++++\n"
        "Date: 03-04-2024, 10:15:23\nUser: lab\nDark Spectrum Present: No\n"
        "Spectrometers: USB2000\nIntegration Time (usec): 100000 (USB2E1234)\n"
        "Spectra Averaged: 5 (USB2E1234)\n>>>>>Begin Processed Spectral Data<<<<<\n"
        "345,21\t1502,30\n345,43\t1510,05\n345,65\t1498,77\n"
        ">>>>>End Processed Spectral Data<<<<<\n",
        {1: [345.21, 345.43, 345.65], 2: [1502.3, 1510.05, 1498.77]},
        None,
        None,
    ),
    "potentiostat, table within settings": Read(
        "EXPLAIN\nTAG\tCV\nTITLE\tLABEL\tCyclic Voltammetry\tTest &Identifier\n"
        "DATE\tLABEL\t3/4/2024\tDate\nTIME\tLABEL\t10:15:23\tTime\nNOTES\tNOTES\t1\t&Notes...\n"
        "\tferrocene\nPSTAT\tPSTAT\tIFC1000-1234\tPotentiostat\n"
        "VINIT\tPOTEN\t0.00000E+000\tT\tInitial &E (V)\n"
        "SCANRATE\tQUANT\t1.00000E+002\tScan Ra&te (mV/s)\nCURVE1\tTABLE\t3\n"
        "\tPt\tT\tVf\tIm\tVu\tPwr\tSig\tAch\tIERange\tOver\n"
        "\t#\ts\tV vs. Ref.\tA\tV\tW\tV\tV\t#\tbits\n"
        "\t0\t0.05\t-1.54000E-001\t2.1E-006\t0\t3.2E-7\t-0.155\t0\t6\t...........\n"
        "\t1\t0.1\t-1.49000E-001\t2.4E-006\t0\t3.3E-7\t-0.15\t0\t6\t...........\n"
        "\t2\t0.15\t-1.44000E-001\t2.7E-006\t0\t3.4E-7\t-0.145\t0\t6\t...........\n",
        {2: [0.05, 0.1, 0.15], 3: [-0.154, -0.149, -0.144], 4: [2.1e-06, 2.4e-06, 2.7e-06]},
        ("Pt", "T", "Vf", "Im", "Vu", "Pwr", "Sig", "Ach", "IERange", "Over"),
        None,
    ),
    "battery cycler in latin-1": Read(
        "EC-Lab ASCII FILE\r\nNb header lines : 8                        \r\n\r\n"
        "Galvanostatic Cycling with Potential Limitation\r\n\r\n"
        "Run on channel : 3 (SN 1234)\r\n\r\n"
        "mode\tox/red\terror\tcontrol changes\tNs changes\tcounter inc."
        "\ttime/s\tcontrol/V/mA\tEwe/V\tI/mA\tdQ/mA.h\t(Q-Qo)/mA.h\t\r\n"
        "2\t1\t0\t0\t0\t0\t0.000000000000000E+000\t1.0000000E+000\t3.2154646E+000\t0.000000000000000E+000\t0.000000000000000E+000\t0.000000000000000E+000\t\r\n"
        "1\t1\t0\t0\t0\t0\t1.000200049567502E+000\t1.0000000E+000\t3.2164001E+000\t1.001000000000000E+000\t2.7E-004\t2.7E-004\t\r\n"
        "1\t1\t0\t0\t0\t0\t2.000200049567502E+000\t1.0000000E+000\t3.2174001E+000\t1.002000000000000E+000\t2.7E-004\t5.4E-004\t\r\n",
        {
            7: [0, 1.000200049567502, 2.000200049567502],
            9: [3.2154646, 3.2164001, 3.2174001],
            10: [0, 1.001, 1.002],
        },
        (
            "mode",
            "ox/red",
            "error",
            "control changes",
            "Ns changes",
            "counter inc.",
            "time/s",
            "control/V/mA",
            "Ewe/V",
            "I/mA",
            "dQ/mA.h",
            "(Q-Qo)/mA.h",
        ),
        None,
    ),
    "source meter, sheet": Read(
        "Instrument,2450,,,\nSerial Number,04412345,,,\n"
        "Reading Index,Date,Time,Source Value,Reading,Unit\n"
        "1,03/04/2024,10:15:23.123,0.0000E+00,1.2345E-09,A\n"
        "2,03/04/2024,10:15:23.623,1.0000E-01,5.2345E-09,A\n"
        "3,03/04/2024,10:15:24.123,2.0000E-01,9.2345E-09,A\n",
        {1: [1, 2, 3], 4: [0, 0.1, 0.2], 5: [1.2345e-09, 5.2345e-09, 9.2345e-09]},
        ("Reading Index", "Date", "Time", "Source Value", "Reading", "Unit"),
        None,
    ),
    "data acquisition, two headers": Read(
        "LabVIEW Measurement\t\nWriter_Version\t2\nReader_Version\t2\nSeparator\tTab\n"
        "Decimal_Separator\t.\nMulti_Headings\tYes\nX_Columns\tOne\nTime_Pref\tAbsolute\n"
        "Operator\tlab\nDate\t2024/03/04\nTime\t10:15:23.1234567\n***End_of_Header***\t\n\t\n"
        "Channels\t2\t\t\nSamples\t3\t3\t\nDate\t2024/03/04\t2024/03/04\t\n"
        "Time\t10:15:23.1\t10:15:23.1\t\nY_Unit_Label\tVolts\tVolts\t\n"
        "X_Dimension\tTime\tTime\t\nX0\t0.0000000000000000E+0\t0.0000000000000000E+0\t\n"
        "Delta_X\t0.001000\t0.001000\t\n***End_of_Header***\t\t\t\n"
        "X_Value\tVoltage_0\tVoltage_1\tComment\n0.000000\t-0.123456\t1.5\t\n"
        "0.001000\t0.234567\t1.6\t\n0.002000\t0.345678\t1.7\t\n",
        {1: [0, 0.001, 0.002], 2: [-0.123456, 0.234567, 0.345678], 3: [1.5, 1.6, 1.7]},
        ("X_Value", "Voltage_0", "Voltage_1", "Comment"),
        None,
    ),
    "plotting program, names, units and remarks": Read(
        "Time\tIntensity\tError\ns\tcounts\tcounts\n\tsample A\tsample A\n0\t100\t10\n"
        "0.5\t81\t9\n1\t64\t8\n",
        {1: [0, 0.5, 1], 2: [100, 81, 64], 3: [10, 9, 8]},
        ("Time", "Intensity", "Error"),
        ("s", "counts", "counts"),
    ),
    "plotting program, short and long names": Read(
        "A(X)\tB(Y)\nTime\tIntensity\ns\ta.u.\n0\t100\n0.5\t--\n1\t64\n",
        {1: [0, 0.5, 1]},
        ("Time", "Intensity"),
        ("s", "a.u."),
    ),
    "Raman spectrometer": Read(
        "#Acq. time (s)=\t10\n#Accumulations=\t2\n#Grating=\t600 (500nm)\n#Laser=\t532nm\n"
        "#Title=\tSi\n#Date=\t04.03.2024 10:15\n#AxisType[0]=\tIntens\n#AxisUnit[0]=\tCnt\n"
        "#AxisType[1]=\tSpectr\n#AxisUnit[1]=\t1/cm\n505.12\t1013.5\n505.91\t1100\n"
        "506.70\t1209.25\n",
        {1: [505.12, 505.91, 506.7], 2: [1013.5, 1100, 1209.25]},
        None,
        None,
    ),
    "photometer, quoted title": Read(
        '"sample - RawData"\n"Wavelength nm.","Abs."\n700.00,0.012\n699.50,0.013\n699.00,0.011\n',
        {1: [700, 699.5, 699], 2: [0.012, 0.013, 0.011]},
        ("Wavelength nm.", "Abs."),
        None,
    ),
    "mass spectrometer, table of peaks": Read(
        "[Header]\nData File Name\tC:\\GCMSsolution\\a.qgd\nOutput Date\t2024/03/04\n"
        "Output Time\t10:15:23\n\n[MC Peak Table]\n# of Peaks\t2\nMass\tTIC\n"
        "Peak#\tRet.Time\tProc.From\tProc.To\tArea\tHeight\n"
        "1\t4.123\t4.05\t4.21\t123456\t45678\n2\t6.789\t6.70\t6.90\t654321\t98765\n",
        {1: [1, 2], 2: [4.123, 6.789], 5: [123456, 654321]},
        ("Peak#", "Ret.Time", "Proc.From", "Proc.To", "Area", "Height"),
        None,
    ),
    "microscope, profile": Read(
        (
            "Distance [\xb5m],Ch1-T1,Ch2-T2\r\n0.000,12,250\r\n0.132,15,248\r\n0.264,11,251\r\n"
        ).encode("utf-8-sig"),
        {1: [0, 0.132, 0.264], 2: [12, 15, 11], 3: [250, 248, 251]},
        ("Distance [µm]", "Ch1-T1", "Ch2-T2"),
        None,
    ),
    "microscope in UTF-16 with decimal commas": Read(
        (
            "ROI\tTime [s]\tIntensity\r\n1\t0,000\t123,5\r\n1\t0,500\t110,25\r\n1\t1,000\t99\r\n"
        ).encode("utf-16"),
        {2: [0, 0.5, 1], 3: [123.5, 110.25, 99]},
        ("ROI", "Time [s]", "Intensity"),
        None,
    ),
    "diffractometer, header between stars": Read(
        '*RAS_DATA_START\n*RAS_HEADER_START\n*DISP_LINE_COLOR "4294901760"\n'
        '*FILE_COMMENT "corundum"\n*MEAS_COND_XG_WAVE_LENGTH_ALPHA1 "1.540593"\n'
        '*MEAS_SCAN_START "20.0000"\n*MEAS_SCAN_STEP "0.0200"\n*RAS_HEADER_END\n'
        "*RAS_INT_START\n20.0000 125.0000 1.0000\n20.0200 131.0000 1.0000\n"
        "20.0400 119.0000 1.0000\n*RAS_INT_END\n*RAS_DATA_END\n",
        {1: [20, 20.02, 20.04], 2: [125, 131, 119], 3: [1, 1, 1]},
        None,
        None,
    ),
    "diffractometer, sections": Read(
        "[Measurement conditions]\nSample identification,corundum\n"
        'Comment,"Configuration=Reflection-Transmission Spinner, Owner=lab"\n'
        "Measurement date / time,04/03/2024 10:15\nAnode material,Cu\n"
        "K-Alpha1 wavelength,1.540598\nScan range,20.0000,20.0600\nScan step size,0.0200\n"
        "No. of points,4\n[Scan points]\nAngle,TimePerStep,Intensity,ESD\n"
        "20.0000,29.8,125,11.18\n20.0200,29.8,131,11.45\n20.0400,29.8,119,10.91\n"
        "20.0600,29.8,140,11.83\n",
        {1: [20, 20.02, 20.04, 20.06], 3: [125, 131, 119, 140], 4: [11.18, 11.45, 10.91, 11.83]},
        ("Angle", "TimePerStep", "Intensity", "ESD"),
        None,
    ),
    "diffractometer, bank of points": Read(
        "corundum                                                                        \n"
        "BANK 1       3       3 CONST 2000.00  2.00 0 0 FXYE\n 2000.00000 125.0000 11.1803\n"
        " 2002.00000 131.0000 11.4455\n 2004.00000 119.0000 10.9087\n",
        {1: [2000, 2002, 2004], 2: [125, 131, 119]},
        None,
        None,
    ),
    "beamline, one scan": Read(
        "#F /data/run1\n#E 1709543723\n#D Mon Mar 04 10:15:23 2024\n#C run1  User = lab\n"
        "#O0 Theta  TwoTheta\n\n#S 1  ascan  th 0 1 3 1\n#D Mon Mar 04 10:15:23 2024\n"
        "#T 1  (Seconds)\n#P0 0 10.5\n#N 4\n#L Theta  Epoch  Monitor  Detector\n0 1 10000 12\n"
        "0.5 2 10010 15\n1 3 10020 11\n",
        {1: [0, 0.5, 1], 3: [10000, 10010, 10020], 4: [12, 15, 11]},
        None,
        None,
    ),
    "waves of a plotting program": Read(
        "IGOR\nWAVES/D\ttime1, volt1\nBEGIN\n\t0\t1.5\n\t0.001\t1.25\n\t0.002\tNAN\nEND\n"
        'X SetScale/P x 0,1,"", time1; SetScale y 0,0,"V", volt1\n',
        {1: [0, 0.001, 0.002]},
        None,
        None,
    ),
    "potentiostat, settings as sentences": Read(
        "Mar. 4, 2024   10:15:23\nCyclic Voltammetry\nFile: c:\\chi\\a.bin\n"
        "Data Source: Experiment\nInstrument Model:  CHI660E\nHeader: \nNote: \n\n"
        "Init E (V) = 0\nHigh E (V) = 0.6\nScan Rate (V/s) = 0.1\nSensitivity (A/V) = 1e-5\n\n"
        "Potential/V, Current/A\n\n0.001, -4.321e-7\n0.002, -4.123e-7\n0.003, -3.987e-7\n",
        {1: [0.001, 0.002, 0.003], 2: [-4.321e-07, -4.123e-07, -3.987e-07]},
        ("Potential/V", "Current/A"),
        None,
    ),
    "potentiostat with decimal commas and points in names": Read(
        "Potential applied (V);Time (s);WE(1).Current (A);Index\n"
        "0,00244140625;5,5;-1,23E-06;1\n0,0048828125;5,55;-1,2E-06;2\n",
        {1: [0.00244140625, 0.0048828125], 2: [5.5, 5.55], 3: [-1.23e-06, -1.2e-06]},
        ("Potential applied (V)", "Time (s)", "WE(1).Current (A)", "Index"),
        None,
    ),
    "calorimeter in UTF-16": Read(
        (
            "Version\tUnicode\nInstrument\tDSC Q2000\nSample\tPE\nSize\t5.1200\tmg\nNsig\t3\n"
            "Sig1\tTime (min)\nSig2\tTemperature (\xb0C)\nSig3\tHeat Flow (mW)\nDate\t04-Mar-24\n"
            "StartOfData\n0.0000000\t25.10\t-0.0512\n0.0033333\t25.12\t-0.0519\n"
            "0.0066667\t25.15\t-0.0533\n"
        ).encode("utf-16"),
        {1: [0, 0.0033333, 0.0066667], 2: [25.1, 25.12, 25.15], 3: [-0.0512, -0.0519, -0.0533]},
        None,
        None,
    ),
    "spectrometer, information below the data": Read(
        "TITLE\tBSA\nDATA TYPE\t\nORIGIN\tJASCO\nDATE\t24/03/04\n"
        "SPECTROMETER/DATA SYSTEM\tJASCO Corp., J-815, Rev. 1.00\nDELTAX\t-0.5\n"
        "XUNITS\tNANOMETERS\nYUNITS\tCD [mdeg]\nY2UNITS\tHT [V]\nFIRSTX\t260.0000\n"
        "LASTX\t258.5000\nNPOINTS\t4\nFIRSTY\t0.01234\nXYDATA\n260.0000\t0.01234\t250.1\n"
        "259.5000\t0.02345\t251.2\n259.0000\t0.03456\t252.3\n258.5000\t0.04567\t253.4\n\n"
        "##### Extended Information\n[Comments]\nSample name\tBSA\n[Measurement Information]\n"
        "Model name\tJ-815\n",
        {1: [260, 259.5, 259, 258.5], 2: [0.01234, 0.02345, 0.03456, 0.04567]},
        None,
        None,
    ),
    "camera, settings below the data": Read(
        "412.3456\t1002\n412.3998\t1013\n412.4541\t998\n\n\n"
        "Date and Time:\tMon Mar 04 10:15:23 2024\nSoftware Version:\t4.15.30000.0\n"
        "Temperature (C):\t-70\nExposure Time (secs):\t0.1\n",
        {1: [412.3456, 412.3998, 412.4541], 2: [1002, 1013, 998]},
        None,
        None,
    ),
    "oscilloscope, seconds and volts": Read(
        "Record Length,Analog:3\nSample Interval,Analog:2.0e-09\nVertical Units,CH1:V\n"
        "Horizontal Units,S\nModel Number,SDS1104X-E\nSerial Number,SDS1\n"
        "Software Version,8.1\nSource,CH1\nSecond,Volt\n-0.00700000,0.04\n-0.00699999,0.08\n"
        "-0.00699998,0.00\n",
        {1: [-0.007, -0.00699999, -0.00699998], 2: [0.04, 0.08, 0]},
        ("Source", "CH1"),
        ("Second", "Volt"),
    ),
    "oscilloscope in German": Read(
        "Zeit;Kanal A\n(ms);(mV)\n\n-5,00000000;12,20703000\n-4,99900000;13,42773000\n",
        {1: [-5, -4.999], 2: [12.20703, 13.42773]},
        ("Zeit", "Kanal A"),
        ("ms", "mV"),
    ),
    "weather logger": Read(
        '"Plot Title: roof"\n'
        '"#","Date Time, GMT+01:00","Temp, \xb0C (LGR S/N: 1, SEN S/N: 1)",'
        '"RH, % (LGR S/N: 1)","Host Connected"\n'
        "1,03/04/24 10:00:00 AM,21.271,38.205,\n2,03/04/24 10:10:00 AM,21.318,38.129,\n"
        "3,03/04/24 10:20:00 AM,21.342,38.1,Logged\n",
        {1: [1, 2, 3], 3: [21.271, 21.318, 21.342], 4: [38.205, 38.129, 38.1]},
        (
            "#",
            "Date Time, GMT+01:00",
            "Temp, °C (LGR S/N: 1, SEN S/N: 1)",
            "RH, % (LGR S/N: 1)",
            "Host Connected",
        ),
        None,
    ),
    "profiler in the sea": Read(
        "* Sea-Bird SBE 9 Data File:\n* Temperature SN = 1234\n# nquan = 3\n# nvalues = 3\n"
        "# name 0 = prDM: Pressure, Digiquartz [db]\n"
        "# name 1 = t090C: Temperature [ITS-90, deg C]\n# name 2 = flag:  0.000e+00\n"
        "# bad_flag = -9.990e-29\n*END*\n      1.000    18.1234  0.0000e+00\n"
        "      2.000    18.1200 -9.990e-29\n      3.000    18.1100  0.0000e+00\n",
        {1: [1, 2, 3], 2: [18.1234, 18.12, 18.11]},
        None,
        None,
    ),
    "integrated diffraction pattern": Read(
        "sample.tif\n 2-Theta Angle (Degrees)\n Intensity\n         3\n"
        "  2.0000000E+00  1.2500000E+02\n  2.0200000E+00  1.3100000E+02\n"
        "  2.0400000E+00  1.1900000E+02\n",
        {1: [2, 2.02, 2.04], 2: [125, 131, 119]},
        None,
        None,
    ),
    "absorption spectrum with fields": Read(
        "# XDI/1.0 GSE/1.0\n# Column.1: energy eV\n# Column.2: mutrans\n# Element.symbol: Cu\n"
        "# Facility.name: APS\n# ///\n# Cu foil\n#--------------\n# energy mutrans i0\n"
        "  8779.0  -1.3070486  149013.70\n  8789.0  -1.3006104  144864.70\n"
        "  8799.0  -1.3033816  132978.70\n",
        {1: [8779, 8789, 8799], 2: [-1.3070486, -1.3006104, -1.3033816]},
        ("energy", "mutrans", "i0"),
        None,
    ),
    "multichannel analyser": Read(
        "<<PMCA SPECTRUM>>\nTAG - live_data\nDESCRIPTION - \nGAIN - 2\nTHRESHOLD - 0\n"
        "LIVE_MODE - 0\nPRESET_TIME - 0\nLIVE_TIME - 12.345\nREAL_TIME - 13.456\n"
        "START_TIME - 03/04/2024 10:15:23\nSERIAL_NUMBER - 1234\n<<DATA>>\n0\n3\n12\n7\n"
        "<<END>>\n<<DPP CONFIGURATION>>\nRESC=Y;\n",
        {1: [0, 3, 12, 7]},
        ("<<DATA>>",),
        None,
    ),
    "exponents of Fortran": Read(
        "  0.0000D+00  1.5000D+00\n  0.5000D+00  2.2500D+00\n",
        {1: [0, 0.5], 2: [1.5, 2.25]},
        None,
        None,
    ),
}

REFUSED_EXPORTS: dict[str, Refused] = {
    "a list of counts between settings": Refused(
        "; sample.uxd\n_FILEVERSION=2\n_STEPSIZE=0.020000\n_START=20.000000\n_COUNTS\n"
        "       125       131       119       140       138       122       127       130\n"
        "       121       133       120       141\n",
        "f.csv, line 5: a list of counts, one value after the other in each line, is no t",
        0,
    ),
    "a list of counts in rows": Refused(
        "*TYPE\t\t=  Raw\n*CLASS\t\t=  STANDARD MEASUREMENT\n*SAMPLE\t\t=  corundum\n"
        "*START\t\t=  20.0\n*STOP\t\t=  20.22\n*STEP\t\t=  0.02\n*COUNT\t\t=  12\n"
        "125,131,119,140\n138,122,127,130\n121,133,120,141\n*END\n*EOF\n",
        "f.csv, line 7: a list of counts, one value after the other in each line, is no t",
        0,
    ),
    "two scans": Refused(
        "#F /data/run1\n#S 1  ascan  th 0 1 3 1\n#N 2\n#L Theta  Detector\n0 12\n0.5 15\n1 11\n"
        "\n#S 2  ascan  th 0 1 3 1\n#N 2\n#L TwoTheta  Detector\n10 112\n10.5 115\n11 111\n",
        "f.csv, line 9: another scan begins, '#S 2  ascan  th 0 1 3 1'; copy one scan to ",
        0,
    ),
    "two waves, one below the other": Refused(
        "IGOR\nWAVES/D time1\nBEGIN\n\t0\n\t0.001\nEND\nWAVES/D volt1\nBEGIN\n\t10\n\t20\nEND\n",
        "f.csv, line 6: found 1 columns where line 4 has 2; a file must have one table: p",
        0,
    ),
    "units within numbers": Refused(
        "+4.69781780E+00OHM,+8179.250SECS,+46802RDNG#\n"
        "+4.69781820E+00OHM,+8179.750SECS,+46803RDNG#\n"
        "+4.69781900E+00OHM,+8180.250SECS,+46804RDNG#\n",
        "f.csv has no line with a number in a column; line 1 is '+4.69781780E+00OHM,+8179",
        0,
    ),
    "zero bytes in a binary file": Refused(
        b"\n\n\xfe\xfe" + bytes(100) + b"1 2\n3 4\n5 6\n",
        "f.csv, line 3: found a byte that is zero, as in binary files and in files that w",
        0,
    ),
    "zero bytes of a log that was cut off": Refused(
        b"t,y\n0,1\n1,2\n" + bytes(100) + b"",
        "f.csv, line 4: found a byte that is zero, as in binary files and in files that w",
        0,
    ),
    "settings of the width of the data": Refused(
        "Type;FSV-7;\nCenter Freq;1000000000,0;Hz\nValues;3;\n999500000,0;-95,12345;\n"
        "1000000000,0;-20,5;\n1000500000,0;-94,25;\n",
        "f.csv, line 3: column 1 must be a number, as in the lines below; it is 'Values';",
        0,
    ),
    "a sample with a name of several words": Refused(
        "Sample description: BSA\nSample:   BSA    c=  5.00 mg/ml\n"
        "  1.0E-02  1.234E+02  1.2E+00\n  1.1E-02  1.210E+02  1.1E+00\n"
        "  1.2E-02  1.190E+02  1.1E+00\n",
        "f.csv, line 2: found 5 columns where line 3 has 3; --skip 2 leaves out the lines",
        0,
    ),
    "names of channels and their units among numbers": Refused(
        "X,CH1,Start,Increment,\nSequence,Volt,-6.000000e-03,1.000000e-05,\n0,1.20e-01,,,\n"
        "1,1.24e-01,,,\n2,1.16e-01,,,\n",
        "f.csv, line 2: column 1 must be a number, as in the lines below; it is 'Sequence",
        0,
    ),
    "a table of a plate reader": Refused(
        (
            "Plate,1,1.3,TimeFormat,Kinetic,Absorbance,Raw,FALSE,2,3\n\tTemperature(\xa1C)\t1\t2\t3\n"
            "0:00:00\t25.1\t0.051\t0.052\t0.049\n0:00:30\t25.1\t0.061\t0.062\t0.059\n"
        ).encode("latin-1"),
        "f.csv, line 2: column 2 must be a number, as in the lines below; it is 'Temperat",
        0,
    ),
    "numbers of Fortran without blanks": Refused(
        "  0.0  1.5-2.5\n  0.5  2.5-3.5\n  1.0  3.5-4.5\n",
        "f.csv, line 1: column 2 must be a number; it is '1.5-2.5'",
        1,
    ),
    "two segments": Refused(
        "LabVIEW Measurement\t\nSeparator\tTab\nDecimal_Separator\t.\n***End_of_Header***\t\n"
        "\t\nChannels\t1\t\nSamples\t2\t\nX0\t0.0\t\nDelta_X\t0.001\t\n"
        "***End_of_Header***\t\t\nX_Value\tVoltage\tComment\n0.000\t1.5\t\n0.001\t1.6\t\n\n"
        "Channels\t1\t\nSamples\t2\t\nX0\t0.0\t\nDelta_X\t0.001\t\n***End_of_Header***\t\t\n"
        "X_Value\tVoltage\tComment\n0.000\t2.5\t\n0.001\t2.6\t\n",
        "f.csv, line 15: column 'X_Value' must be a number; it is 'Channels'",
        0,
    ),
}
