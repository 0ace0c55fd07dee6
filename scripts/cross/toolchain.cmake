# SPDX-License-Identifier: BSD-2-Clause
# Toolchain of scripts/cross-build: Debian's cross compilers, libraries from a system root of unpacked Debian packages.
# BDNN_CROSS_TRIPLET and BDNN_CROSS_ROOT are given on the command line.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES BDNN_CROSS_TRIPLET BDNN_CROSS_ROOT)
set(CMAKE_SYSTEM_NAME Linux)
if(BDNN_CROSS_TRIPLET STREQUAL "aarch64-linux-gnu")
  set(CMAKE_SYSTEM_PROCESSOR aarch64)
else()
  set(CMAKE_SYSTEM_PROCESSOR armv7l)
endif()
set(CMAKE_C_COMPILER ${BDNN_CROSS_TRIPLET}-gcc)
set(CMAKE_CXX_COMPILER ${BDNN_CROSS_TRIPLET}-g++)
set(CMAKE_LIBRARY_ARCHITECTURE ${BDNN_CROSS_TRIPLET})

# The compilers bring their own C library; everything else comes from the system root.
set(CMAKE_FIND_ROOT_PATH ${BDNN_CROSS_ROOT} /usr/${BDNN_CROSS_TRIPLET})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(usr ${BDNN_CROSS_ROOT}/usr)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${BDNN_CROSS_ROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${usr}/lib/${BDNN_CROSS_TRIPLET}/pkgconfig:${usr}/share/pkgconfig)
include_directories(SYSTEM ${usr}/include ${usr}/include/${BDNN_CROSS_TRIPLET})
set(paths "-Wl,-rpath-link,${usr}/lib/${BDNN_CROSS_TRIPLET} -L${usr}/lib/${BDNN_CROSS_TRIPLET}")
set(CMAKE_EXE_LINKER_FLAGS_INIT "${paths}")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "${paths}")

# CTest runs the tests through this; which processor it plays is QEMU_CPU's to say.
if(BDNN_CROSS_TRIPLET STREQUAL "aarch64-linux-gnu")
  set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/${BDNN_CROSS_TRIPLET} -E
    LD_LIBRARY_PATH=${usr}/lib/${BDNN_CROSS_TRIPLET})
else()
  set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm -L /usr/${BDNN_CROSS_TRIPLET} -E
    LD_LIBRARY_PATH=${usr}/lib/${BDNN_CROSS_TRIPLET})
endif()
