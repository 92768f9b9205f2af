#include <stdio.h>
#include <zlib.h>
#include <lzma.h>
#include <bzlib.h>
#include <zstd.h>
#include <libdeflate.h>
#include <isa-l/igzip_lib.h>
