/* Nodes and weights of wofz_body.inc and of erfcx in special.h. */

#ifndef LMOO_WOFZ_TABLES_H
#define LMOO_WOFZ_TABLES_H

/* exp(-t^2) at t = 1/4, 3/4, ... and at t = 0 (halved), 1/2, ... */
static const double lmoo_wofz_middle[13] = {
    0x1.e0fabfbc702a4p-1, 0x1.23ba930c1568bp-1, 0x1.ad48bc25771c7p-3,
    0x1.7f251ab1af77bp-5, 0x1.9ed300c108a17p-8, 0x1.1068222437d65p-11,
    0x1.b1fea4fbb871ap-16, 0x1.a3604afdb0929p-21, 0x1.eb97d4afc3bd3p-27,
    0x1.5d82c26ce1c09p-33, 0x1.2d7026e60ab5ep-40, 0x1.3b5e5c86b9440p-48,
    0x1.903daec8f0fb0p-57,
};
static const double lmoo_wofz_whole[13] = {
    0x1.0000000000000p-1, 0x1.8ebef9eac820bp-1, 0x1.78b56362cef38p-2,
    0x1.afb718e8457f7p-4, 0x1.2c155b8213cf4p-6, 0x1.fa0e9586aebc7p-10,
    0x1.02cf22526545ap-13, 0x1.411fb0da07713p-18, 0x1.e355bbaee85cbp-24,
    0x1.b93de1e27ca3bp-30, 0x1.e8a37a45fc32ep-37, 0x1.4835bd010a41bp-44,
    0x1.0b6c3afdde064p-52,
};
/* Squares of the positive zeros of the Hermite polynomial of degree 14, and their weights. */
static const double lmoo_wofz_node[7] = {
    0x1.5ca202c0f28f3p-4, 0x1.8b55a9552b9e1p-1, 0x1.171da28f68a73p+1,
    0x1.18f25ddd2e47ep+2, 0x1.e3763b7726af1p+2, 0x1.7fae05e229f54p+3,
    0x1.2873d31a7e634p+4,
};
static const double lmoo_wofz_weight[7] = {
    0x1.12a3cb9f3069ap-1, 0x1.17a8ff2d23f15p-2, 0x1.189942515b4ebp-4,
    0x1.013b082935900p-7, 0x1.745772989a757p-12, 0x1.3c84958ff0c41p-18,
    0x1.2879e3fc189a5p-27,
};

#endif /* LMOO_WOFZ_TABLES_H */
