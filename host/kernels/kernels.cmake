# SPDX-License-Identifier: BSD-2-Clause
# The kernels' sources and compiler options: a kernel of another instruction set is its file, a name below and a name in the list of its
# family (kernel_list.h for the inner products). Kernels are compiled for what they are good at whatever the build type; those of one
# instruction set are entered only on processors that have it.

# bdnn_isa(<folder>/<isa> [FLAGS <flag>...] KERNELS <kernel>...)
# Adds kernels/<folder>/<kernel>_<isa>.c, compiled with the flags, to the library.
function(bdnn_isa isa)
  cmake_parse_arguments(PARSE_ARGV 1 this "" "" "FLAGS;KERNELS")
  cmake_path(GET isa PARENT_PATH folder)
  cmake_path(GET isa FILENAME name)
  set(options -O3 ${this_FLAGS})
  foreach(kernel IN LISTS this_KERNELS)
    set(source kernels/${folder}/${kernel}_${name}.c)
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${options}")
    list(APPEND BDNN_SOURCES ${source})
  endforeach()
  set(BDNN_SOURCES ${BDNN_SOURCES} PARENT_SCOPE)
endfunction()

# errno after a square root would keep loops from being vectorized.
set(BDNN_NO_ERRNO -fno-math-errno)
# gcc would add sums of products in an order that takes more registers than there are.
set(BDNN_ORDERED $<$<C_COMPILER_ID:GNU>:-fno-tree-reassoc>)

# What every processor runs.
set_source_files_properties(kernels/dense_portable.c kernels/dot16_portable.c kernels/popcount_portable.c
  kernels/quantize.c kernels/sink.c kernels/panel.c kernels/rows.c kernels/floats_portable.c kernels/gemm.c PROPERTIES COMPILE_OPTIONS "-O3")
set_source_files_properties(kernels/vectors_portable.c PROPERTIES COMPILE_OPTIONS "-O3;${BDNN_NO_ERRNO}")

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
  list(APPEND BDNN_SOURCES kernels/x86/amx.c kernels/x86/amx_walk.c kernels/x86/peaks.c)
  set(BDNN_AVX512 -mavx512f -mavx512bw -mavx512vl)
  bdnn_isa(x86/sse4 FLAGS -msse4.1 ${BDNN_ORDERED} KERNELS panel dense sink)
  bdnn_isa(x86/avx2 FLAGS -mavx2 ${BDNN_ORDERED} KERNELS panel dense sink)
  bdnn_isa(x86/avx2 FLAGS -mavx2 -mpopcnt KERNELS popcount dot16)
  bdnn_isa(x86/avx2 FLAGS -mavx2 ${BDNN_NO_ERRNO} KERNELS vectors floats)
  bdnn_isa(x86/avxvnni FLAGS -mavxvnni ${BDNN_ORDERED} KERNELS panel dense)
  bdnn_isa(x86/avx512 FLAGS ${BDNN_AVX512} KERNELS sink)
  bdnn_isa(x86/avx512 FLAGS ${BDNN_AVX512} -mavx512vpopcntdq -mprefer-vector-width=512 KERNELS popcount)
  bdnn_isa(x86/avx512 FLAGS ${BDNN_AVX512} -mavx512dq -mprefer-vector-width=512 ${BDNN_NO_ERRNO} KERNELS vectors floats)
  bdnn_isa(x86/avx512vnni FLAGS ${BDNN_AVX512} -mavx512vnni KERNELS panel dense)
  bdnn_isa(x86/avx512gfni FLAGS ${BDNN_AVX512} -mavx512vbmi -mavx512vnni -mgfni KERNELS dense)
  bdnn_isa(x86/amx FLAGS ${BDNN_AVX512} -mamx-tile -mamx-int8 KERNELS panel)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64|^arm")
  list(APPEND BDNN_SOURCES kernels/arm/features.c)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    bdnn_isa(arm/dotprod FLAGS -march=armv8.2-a+dotprod KERNELS panel dense)
    bdnn_isa(arm/i8mm FLAGS -march=armv8.2-a+dotprod+i8mm KERNELS panel dense)
  else()
    # Integers only: this NEON flushes denormal floats to zero.
    set(BDNN_NEON -mfpu=neon)
  endif()
  bdnn_isa(arm/neon FLAGS ${BDNN_NEON} KERNELS panel dense dot16 popcount sink)
endif()
