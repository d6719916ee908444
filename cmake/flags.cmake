# Compiler flags, once.  troth_flags: library and program.  troth_flags_tests: the same without -Wsign-conversion,
# which cmocka's macros would trip.
include(CheckTypeSize)
check_type_size(__int128 WIDE)
if(NOT HAVE_WIDE)
    message(FATAL_ERROR "troth is for 64-bit processors: its X25519 and P-256 multiply 64 by 64 bits, and ${CMAKE_C_COMPILER} has no __int128 for ${CMAKE_SYSTEM_PROCESSOR}")
endif()
add_library(troth_flags_base INTERFACE)
target_compile_options(troth_flags_base INTERFACE
    -Wall -Wextra -Wshadow -Wvla -Wswitch-enum -Wstrict-prototypes
    -fvisibility=hidden -fPIC -fno-strict-aliasing -fno-common)
if(TROTH_WERROR)
    target_compile_options(troth_flags_base INTERFACE -Werror)
endif()
if(NOT CMAKE_C_FLAGS MATCHES "coverage")        # gcov wants the true paths
    target_compile_options(troth_flags_base INTERFACE -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
endif()
if(TROTH_SANITIZE)
    target_compile_options(troth_flags_base INTERFACE
        -fsanitize=${TROTH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(troth_flags_base INTERFACE -fsanitize=${TROTH_SANITIZE})
    target_compile_definitions(troth_flags_base INTERFACE TROTH_SANITIZED=1)
else()
    target_compile_definitions(troth_flags_base INTERFACE TROTH_SANITIZED=0)
endif()
if(TROTH_FUZZ)
    target_compile_options(troth_flags_base INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(TROTH_HARDEN)
    target_compile_options(troth_flags_base INTERFACE
        -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fcf-protection -fstack-clash-protection)
    target_link_options(troth_flags_base INTERFACE -Wl,-z,relro,-z,now)
endif()
target_link_options(troth_flags_base INTERFACE -Wl,--as-needed)
if(TROTH_DEBUG)
    target_compile_definitions(troth_flags_base INTERFACE TROTH_DEBUG=1)
endif()
if(TROTH_CT)
    target_compile_definitions(troth_flags_base INTERFACE TROTH_CT=1)
endif()

add_library(troth_flags INTERFACE)
target_link_libraries(troth_flags INTERFACE troth_flags_base)
target_compile_options(troth_flags INTERFACE -Wconversion)
add_library(troth_flags_tests INTERFACE)
target_link_libraries(troth_flags_tests INTERFACE troth_flags_base)
target_compile_options(troth_flags_tests INTERFACE -Wconversion -Wno-sign-conversion) # in this order: clang goes by it
target_compile_definitions(troth_flags_tests INTERFACE _GNU_SOURCE)
