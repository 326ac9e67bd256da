from setuptools import Extension, setup

import lmoo

setup(
    ext_modules=[
        Extension(
            "lmoo_example_c.fits",
            ["src/lmoo_example_c/fits.c"],
            include_dirs=[lmoo.get_include()],
        )
    ]
)
