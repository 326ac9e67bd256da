from Cython.Build import cythonize
from setuptools import Extension, setup

import lmoo

setup(
    ext_modules=cythonize(
        [
            Extension(
                "lmoo_example.models",
                ["src/lmoo_example/models.pyx"],
                include_dirs=[lmoo.get_include()],
            )
        ]
    )
)
