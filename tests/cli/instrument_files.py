"""Files as instruments, loggers and programs write them, with what they mean.

The first ten have the form of the files in manuals of such instruments.  Names and numbers are made
up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["READ", "REFUSED", "Read", "Refused"]


@dataclass(frozen=True)
class Read:
    """A file that is read: its columns by number, its names and its units."""

    content: str | bytes
    columns: dict[int, list[float]]
    header: tuple[str, ...] | None = None
    units: tuple[str, ...] | None = None
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """A file that is refused, and the message; `column` is the one that is asked for."""

    content: str | bytes
    message: str
    column: int = 0
    options: dict[str, str] = field(default_factory=dict)


READ: dict[str, Read] = {
    "oscilloscope, x-axis": Read(
        "x-axis,1\nsecond,Volt\n-0.000200,0.0213\n-0.000199,0.0251\n-0.000198,-0.0011\n",
        {1: [-2e-4, -1.99e-4, -1.98e-4], 2: [0.0213, 0.0251, -0.0011]},
        ("x-axis", "1"),
        ("second", "Volt"),
    ),
    "oscilloscope, record": Read(
        "Model,TS2024\nFirmware Version,1.52\n\nWaveform Type,ANALOG\nPoint Format,Y\n"
        "Horizontal Units,s\nSample Interval,4e-09\nRecord Length,3\nVertical Units,V\n"
        "Label,\nTIME,CH1\n-5.0e-07,0.04\n-4.96e-07,0.08\n-4.92e-07,0.00\n",
        {1: [-5e-7, -4.96e-7, -4.92e-7], 2: [0.04, 0.08, 0.0]},
        ("TIME", "CH1"),
    ),
    "spectrometer, begin of data": Read(
        "Data from Subt0001.txt Node\n\nDate: Mon Mar 04 10:15:00 CET 2024\nUser: lab\n"
        "Spectrometer: SX4000\nIntegration Time (sec): 1.000000E-1\nScans to average: 5\n"
        "XAxis mode: Wavelengths\nNumber of Pixels in Spectrum: 3\n"
        ">>>>>Begin Spectral Data<<<<<\n345.210\t1502.30\n345.430\t1510.05\n345.650\t1498.77\n"
        ">>>>>End Spectral Data<<<<<\n",
        {1: [345.21, 345.43, 345.65], 2: [1502.3, 1510.05, 1498.77]},
    ),
    "spectrum in JCAMP-DX with points": Read(
        "##TITLE= polystyrene\n##JCAMP-DX= 4.24\n##DATA TYPE= INFRARED SPECTRUM\n"
        "##XUNITS= 1/CM\n##YUNITS= TRANSMITTANCE\n##NPOINTS= 3\n##XYPOINTS= (XY..XY)\n"
        "4000.0, 0.95\n3998.0, 0.94\n3996.0, 0.96\n##END=\n",
        {1: [4000, 3998, 3996], 2: [0.95, 0.94, 0.96]},
    ),
    "source meter": Read(
        "Setup title,sweep-1\nTest parameter,Context.MainFrame,SM1500\n"
        "Dimension1,101,101\nDimension2,1,1\nDataName, V1, I1\n"
        "DataValue, 0, 1.2E-12\nDataValue, 0.05, 3.4E-12\nDataValue, 0.1, 5.1E-11\n",
        {2: [0, 0.05, 0.1], 3: [1.2e-12, 3.4e-12, 5.1e-11]},
        ("DataName", "V1", "I1"),
    ),
    "potentiostat with decimal commas": Read(
        "EX-Lab ASCII FILE\r\nNb header lines : 5\r\n\r\nTechnique : Cyclic Voltammetry\r\n"
        "Ewe/V\t<I>/mA\tcycle\r\n-2,0000E-001\t1,5000E-003\t1\r\n-1,9900E-001\t1,6000E-003\t1\r\n"
        "-1,9800E-001\t1,7500E-003\t1\r\n",
        {1: [-0.2, -0.199, -0.198], 2: [0.0015, 0.0016, 0.00175]},
        ("Ewe/V", "<I>/mA", "cycle"),
    ),
    "chromatograph with sections": Read(
        "[Header]\nSample Name\tMix 3\nInjection\t10 uL\n\n[LC Chromatogram(Detector A)]\n"
        "# of Points\t3\nInterval(msec)\t500\nStart Time(min)\t0.000\n"
        "R.Time (min)\tIntensity\n0.00000\t12\n0.00833\t15\n0.01667\t11\n",
        {1: [0, 0.00833, 0.01667], 2: [12, 15, 11]},
        ("R.Time (min)", "Intensity"),
    ),
    "logger with units and time stamps": Read(
        '"TOA5","st1","CX1000","1234","os.std.03","prog","555","Table1"\n'
        '"TIMESTAMP","RECORD","BattV","AirTC"\n"TS","RN","Volts","Deg C"\n"","","Smp","Avg"\n'
        '"2024-03-04 10:00:00",0,12.9,4.51\n"2024-03-04 10:10:00",1,12.8,4.62\n'
        '"2024-03-04 10:20:00",2,12.8,4.75\n',
        {1: [0, 600, 1200], 4: [4.51, 4.62, 4.75]},
        options={"skip": "4"},
    ),
    "thermal analysis in latin-1": Read(
        "#EXPORTTYPE:\tDATA ALL\r\n#SAMPLE:\tPE-7\r\n#RANGE:\t25\xb0C/10,0(K/min)/200\xb0C\r\n"
        "##Temp./\xb0C;Time/min;DSC/(\xb5V/mg)\r\n25,00;0,0;0,0512\r\n25,50;0,05;0,0519\r\n"
        "26,00;0,1;0,0533\r\n".encode("latin-1"),
        {1: [25, 25.5, 26], 2: [0, 0.05, 0.1], 3: [0.0512, 0.0519, 0.0533]},
        ("Temp./\xb0C", "Time/min", "DSC/(\xb5V/mg)"),
    ),
    "magnetometer with a preamble of its own": Read(
        "[Header]\nTITLE,MvsH\nFILEOPENTIME,1234.5,03/04/2024,10:00 am\nBYAPP,MagVu,2.1\n"
        "[Data]\nComment,Field (Oe),Moment (emu)\n,0.5,1.25E-5\n,100.2,2.5E-4\n,200.1,5.0E-4\n",
        {2: [0.5, 100.2, 200.1], 3: [1.25e-5, 2.5e-4, 5e-4]},
        ("Comment", "Field (Oe)", "Moment (emu)"),
    ),
    # ------------------------------------------------------------------ separators and decimals
    "tabs": Read("t\ty\n0\t1.5\n1\t2\n", {1: [0, 1], 2: [1.5, 2]}, ("t", "y")),
    "semicolons and decimal commas": Read(
        "t;y\n0,0;1,5\n0,5;2,25\n", {1: [0, 0.5], 2: [1.5, 2.25]}, ("t", "y")
    ),
    "the separator that Excel is told": Read(
        "sep=;\nt;y\n0,5;1\n1,5;2\n", {1: [0.5, 1.5]}, ("t", "y")
    ),
    "bars": Read("t|y\n0|1.5\n1|2\n", {1: [0, 1], 2: [1.5, 2]}, ("t", "y")),
    "a table of Markdown": Read(
        "| t | y |\n|---|--:|\n| 0 | 1.5 |\n| 1 | 2.5 |\n", {1: [0, 1], 2: [1.5, 2.5]}, ("t", "y")
    ),
    "a table of a terminal": Read(
        "+---+-----+\n| t |   y |\n+---+-----+\n| 0 | 1.5 |\n| 1 | 2.5 |\n+---+-----+\n",
        {1: [0, 1], 2: [1.5, 2.5]},
        ("t", "y"),
    ),
    "white space and decimal commas": Read("0,0  1,5\n0,5  2,25\n", {1: [0, 0.5], 2: [1.5, 2.25]}),
    "commas and blanks": Read("t, y\n0, 1.5\n1, 2.5\n", {2: [1.5, 2.5]}, ("t", "y")),
    "decimal commas in quotes": Read(
        't,y\n"0,0","1,5"\n"0,5","2,25"\n', {1: [0, 0.5], 2: [1.5, 2.25]}, ("t", "y")
    ),
    "trailing commas": Read("t,y,\n0,1.5,\n1,2.5,\n", {1: [0, 1], 2: [1.5, 2.5]}, ("t", "y")),
    "trailing commas below names": Read("t,y\n0,1.5,\n1,2.5,\n", {2: [1.5, 2.5]}, ("t", "y")),
    "trailing tabs": Read("0\t1.5\t\n1\t2.5\t\n", {1: [0, 1], 2: [1.5, 2.5]}),
    "one column": Read("y\n1.5\n2.5\n3.5\n", {1: [1.5, 2.5, 3.5]}, ("y",)),
    "thousands in quotes": Read(
        't,y\n0.5,"1,234.5"\n1.5,"2,345.5"\n', {2: [1234.5, 2345.5]}, ("t", "y")
    ),
    "thousands with points": Read(
        "t;y\n0,5;1.234,5\n1,5;12.345,5\n", {2: [1234.5, 12345.5]}, ("t", "y")
    ),
    "millions": Read("t;y\n1;1,234,567\n2;2,345\n", {2: [1234567, 2345]}, ("t", "y")),
    "apostrophes": Read("t;y\n0.5;1'234.5\n1.5;12'345.5\n", {2: [1234.5, 12345.5]}, ("t", "y")),
    "narrow spaces": Read(
        "t;y\n0,5;1\u202f234,5\n1,5;2\u202f345,25\n", {2: [1234.5, 2345.25]}, ("t", "y")
    ),
    "minus signs of typesetters": Read("t;y\n0;\u22121.5\n1;2.5\n", {2: [-1.5, 2.5]}, ("t", "y")),
    "a comma that another number explains": Read(
        "t;y\n1,234;0,5\n2,345;1,5\n", {1: [1.234, 2.345]}, ("t", "y")
    ),
    "a comma that a leading zero explains": Read(
        "t;y\n1;0,125\n2;1,125\n", {2: [0.125, 1.125]}, ("t", "y")
    ),
    "a comma that the user explains": Read(
        "t;y\n1;1,234\n2;2,345\n", {2: [1.234, 2.345]}, ("t", "y"), None, {"decimal": "comma"}
    ),
    "thousands that the user explains": Read(
        "t;y\n1;1,234\n2;2,345\n", {2: [1234, 2345]}, ("t", "y"), None, {"decimal": "point"}
    ),
    "exponents of Fortran": Read("t y\n0 1.5D+00\n1 2.5D-01\n", {2: [1.5, 0.25]}, ("t", "y")),
    # ------------------------------------------------------------------ comments, names, units
    "comments of LaTeX and MATLAB": Read(
        "% run 7\n% t y\n0 1.5\n1 2.5\n", {2: [1.5, 2.5]}, ("t", "y")
    ),
    "comments of Fortran": Read("! made by x\n0 1.5\n! pause\n1 2.5\n", {2: [1.5, 2.5]}),
    "comments of ini files": Read("; made by x\n0,1.5\n1,2.5\n", {2: [1.5, 2.5]}),
    "comments of C": Read("// made by x, 2024\n0,1.5\n1,2.5\n", {2: [1.5, 2.5]}),
    "comments that the user names": Read(
        "$ made\n0 1.5 $ late\n1 2.5\n", {2: [1.5, 2.5]}, None, None, {"comment": "$"}
    ),
    "names in a comment": Read("# t\ty\n0\t1.5\n1\t2.5\n", {2: [1.5, 2.5]}, ("t", "y")),
    "names and units in comments": Read(
        "# t y\n# s mV\n0 1.5\n1 2.5\n", {2: [1.5, 2.5]}, ("t", "y"), ("s", "mV")
    ),
    "units in brackets": Read(
        "Zeit;Spannung\n[s];[mV]\n0;1,5\n1;2,5\n",
        {2: [1.5, 2.5]},
        ("Zeit", "Spannung"),
        ("s", "mV"),
    ),
    "names with blanks above white space": Read(
        "Time (s)    Signal (V)\n0           1.5\n1           2.5\n",
        {2: [1.5, 2.5]},
        ("Time (s)", "Signal (V)"),
    ),
    "numbers as names": Read(
        "time;400;410\n0;1.5;2.5\n1;3.5;4.5\n", {3: [2.5, 4.5]}, ("time", "400", "410")
    ),
    "a number sign in a name": Read(
        "t,Channel #1,Channel #2\n0,1,2\n1,3,4\n", {3: [2, 4]}, ("t", "Channel #1", "Channel #2")
    ),
    "a sentence above": Read("Measured today by me\n0 1.5\n1 2.5\n", {1: [0, 1], 2: [1.5, 2.5]}),
    "settings above": Read(
        "Gain=5\nRate: 100 Hz\n\nt,y\n0,1.5\n1,2.5\n", {1: [0, 1], 2: [1.5, 2.5]}, ("t", "y")
    ),
    "settings in columns above": Read(
        "Gain,5\nOffset,2\nRate,100\nt,y\n0,1.5\n1,2.5\n", {1: [0, 1], 2: [1.5, 2.5]}, ("t", "y")
    ),
    "lines that the user skips": Read(
        "7,8\n0,1.5\n1,2.5\n", {1: [0, 1]}, None, None, {"skip": "1"}
    ),
    "a number of rows above": Read("2\n0 1.5\n1 2.5\n", {1: [0, 1]}),
    "an end of the data": Read("t,y\n0,1.5\n1,2.5\nEnd of data\n", {1: [0, 1]}, ("t", "y")),
    # ------------------------------------------------------------------ encodings
    "UTF-16 with a mark": Read("t,\u00b5A\n0,1\n".encode("utf-16"), {2: [1]}, ("t", "\u00b5A")),
    "UTF-16 without a mark": Read("t,yy\n0,1\n".encode("utf-16-le"), {2: [1]}, ("t", "yy")),
    "UTF-8 with a mark": Read("\ufefft,y\n0,1\n".encode(), {2: [1]}, ("t", "y")),
    "latin-1": Read("t;U/\xb5V\n0;1,5\n".encode("latin-1"), {2: [1.5]}, ("t", "U/\xb5V")),
    "an encoding that the user names": Read(
        "t,\u0416\n0,1\n".encode("cp1251"), {2: [1]}, ("t", "\u0416"), None, {"encoding": "cp1251"}
    ),
    # ------------------------------------------------------------------ times
    "dates of ISO": Read(
        "time,y\n2024-02-28T23:59:59.5Z,1\n2024-02-29T00:00:01Z,2\n", {1: [0, 1.5]}, ("time", "y")
    ),
    "dates with points": Read("31.01.2024 12:00;1,5\n01.02.2024 12:00;2,5\n", {1: [0, 86400]}),
    "dates with slashes, the month first": Read(
        "01/30/2024 1:00:00 PM,1\n01/31/2024 1:00:00 AM,2\n", {1: [0, 43200]}
    ),
    "dates and times in two columns": Read(
        "Date,Time,T\n2024-01-31,23:59:00,1.5\n2024-02-01,00:01:00,2.5\n",
        {1: [0, 120], 3: [1.5, 2.5]},
        ("Date", "Time", "T"),
    ),
    "names of months": Read("31-Jan-2024 12:00:00,1\n01-Feb-2024 12:00:00,2\n", {1: [0, 86400]}),
    "durations": Read("t,y\n00:00:30,1.5\n00:01:30.5,2.5\n", {1: [30, 90.5]}, ("t", "y")),
}

REFUSED: dict[str, Refused] = {
    "a comma that nothing explains": Refused(
        "t;y\n1;1,234\n2;2,345\n", "f.csv, line 2: '1,234' may be 1.234 or 1234; --decimal", 1
    ),
    "decimal commas between commas": Refused(
        "t,y\n0,5,1,25\n1,5,2,25\n",
        "f.csv, line 1: found 2 columns where line 2 has 4; decimal commas",
    ),
    "decimal commas between commas, without names": Refused(
        "0,05,1,25\n1,05,2,25\n", "f.csv, line 1: '0,05,1,25' may be 4 columns of whole numbers"
    ),
    "one column of commas": Refused("y\n1,5\n2,5\n", "f.csv, line 2: '1,5' may be 2 columns"),
    "groups of three digits between commas": Refused(
        "1,234\n2,345\n", "f.csv, line 1: '1,234' may be 2 columns of whole numbers"
    ),
    "decimal commas and points": Refused(
        "t;y\n0,5;1.25\n1,5;2.25\n", "f.csv mixes decimal commas and points: '0,5' in line 2"
    ),
    "thousands with points beside decimal points": Refused(
        "t;y\n1.234.567;1\n1.5;2\n", "f.csv mixes decimal commas and points: '1.234.567' in line 2"
    ),
    "a point among decimal commas": Refused(
        "t;y\n0,5;1,25\n1,5;1.234\n",
        "f.csv, line 3: column 'y' must be a number; it is '1.234'; this",
        1,
    ),
    "a wrong group of thousands": Refused(
        "t;y\n1;1,234.5\n2;12,34.5\n",
        "f.csv, line 3: column 'y' must be a number; it is '12,34.5'",
        1,
    ),
    "more columns later": Refused(
        "t,y\n0,1\n1,2\n2,3,4\n", "f.csv, line 4: found 3 columns where line 1 has 2"
    ),
    "a second table": Refused(
        "t,y\n0,1\n1,2\nt,z\n0,3\n", "f.csv, line 4: column 't' must be a number; it is 't'"
    ),
    "numbers of columns as names": Refused(
        "1,2,3\n0.5,1.5,2.5\n0.7,1.7,2.7\n", "f.csv, line 1: '1 2 3' may be data or the names of"
    ),
    "a damaged first row": Refused(
        "t,y\nx,1\n1,2\n2,3\n", "f.csv, line 2: column 1 must be a number, as in the lines below"
    ),
    "a damaged first row without names": Refused(
        "1,2x\n3,4\n5,6\n", "f.csv, line 1: column 2 must be a number, as in the lines below"
    ),
    "texts above that look like rows": Refused(
        "A1,1\nB2,2\n3,3\n4,4\n5,5\n", "f.csv, line 2: column 1 must be a number, as in the lines"
    ),
    "a number with its unit": Refused(
        "t,y\n0,1.5 V\n1,2.5 V\n", "f.csv, line 2: column 'y' must be a number; it is '1.5 V'", 1
    ),
    "a comment at the end of a row": Refused(
        "t y\n0 1.5\n1 2.5 ! late\n", "f.csv, line 3: found 4 columns where line 1 has 2"
    ),
    "day and month alike": Refused(
        "01/02/2024,1\n02/02/2024,2\n",
        "f.csv: column 1: '01/02/2024' may have the day or the month",
    ),
    "years of two digits": Refused(
        "24/01/31,1\n24/02/01,2\n", "f.csv: column 1: '24/01/31' has a year of two digits"
    ),
    "times past midnight": Refused(
        "23:59:00,1\n00:01:00,2\n", "f.csv: column 1, line 2: the times pass midnight"
    ),
    "hours or minutes": Refused(
        "01:30,1\n01:31,2\n", "f.csv: column 1, line 1: '01:30' may be hours"
    ),
    "a spectrum in compressed JCAMP-DX": Refused(
        "##TITLE= x\n##XYDATA= (X++(Y..Y))\n400 1 2 3\n403 4 5 6\n##END=\n",
        "f.csv, line 2: JCAMP-DX with ordinates alone",
    ),
    "a page of the web": Refused("<html><body>404</body></html>", "f.csv is a page of HTML or XML"),
    "a PDF": Refused("%PDF-1.5 ...", "f.csv is a PDF document"),
    "an archive": Refused(b"PK\x03\x04....", "f.csv is an archive (zip); unpack it first"),
    "an array of numpy": Refused(b"\x93NUMPY....", "f.csv is a file of numpy.save"),
    "text alone": Refused("a b\nc d\ne f\n", "f.csv has no line with a number in a column"),
    "the encoding that the user names": Refused(
        b"t,y\n0,\xff\n",
        "f.csv, line 2: the byte 0xff is not valid in utf-8",
        0,
        {"encoding": "utf-8"},
    ),
}
