# libtroth: one set of objects, four uses.
#   troth_shared    libtroth.so.0, exports troth_* only (src/libtroth.map)
#   troth_static    libtroth.a; with TROTH_LOCALIZE one object whose internal names are local
#   troth_internal  a plain archive with every internal name visible, for tests and benches
set(folders base crypto crypto/openssl crypto/kernel wire record x509 tls explain api)
set(patterns "")
foreach(f ${folders})
    list(APPEND patterns ${CMAKE_SOURCE_DIR}/src/${f}/*.c)
endforeach()
file(GLOB troth_sources CONFIGURE_DEPENDS ${patterns})
if(NOT troth_sources)
    file(WRITE ${CMAKE_BINARY_DIR}/gen/empty.c "typedef int nothing_yet;\n")
    set(troth_sources ${CMAKE_BINARY_DIR}/gen/empty.c)
endif()

# src/explain/page.html -> gen/explain/page_html.h with `static const char page_html[]`
file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/explain/*.html ${CMAKE_SOURCE_DIR}/src/explain/*.css
    ${CMAKE_SOURCE_DIR}/src/explain/*.js)
set(embedded "")
foreach(page ${pages})
    get_filename_component(name ${page} NAME)
    string(REPLACE "." "_" name ${name})
    set(out ${CMAKE_BINARY_DIR}/gen/explain/${name}.h)
    add_custom_command(OUTPUT ${out} DEPENDS ${page} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
        COMMAND ${CMAKE_COMMAND} -DIN=${page} -DOUT=${out} -DNAME=${name} -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
        VERBATIM)
    list(APPEND embedded ${out})
endforeach()

add_custom_target(embedded DEPENDS ${embedded})
add_library(troth_objects OBJECT ${troth_sources} ${embedded})
target_link_libraries(troth_objects PRIVATE troth_flags lib_crypto)
set_target_properties(troth_objects PROPERTIES C_EXTENSIONS OFF)
file(GLOB kernels CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/crypto/kernel/*.c)
set_source_files_properties(${kernels} PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-O3>") # arithmetic in loops of known length
# Limbs belong in registers of their own: gathered in vectors for an addition they cost it a third (gcc 12).
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/crypto/kernel/p256_plain_verify.c PROPERTIES
    COMPILE_OPTIONS "$<$<CONFIG:Release>:-O3;-fno-tree-vectorize;-fno-tree-slp-vectorize>")
target_include_directories(troth_objects PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include
    ${CMAKE_BINARY_DIR}/gen)
target_compile_definitions(troth_objects PRIVATE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE)

set(troth_needs lib_crypto)
set(troth_private_libs "")
foreach(l zlib brotli zstd ipsec_mb)      # optional: TROTH_HAVE_ZLIB and so on
    if(TARGET lib_${l})
        string(TOUPPER ${l} L)
        target_compile_definitions(troth_objects PRIVATE TROTH_HAVE_${L}=1)
        target_link_libraries(troth_objects PRIVATE lib_${l})
        list(APPEND troth_needs lib_${l})
        list(APPEND troth_private_libs ${l})
    endif()
endforeach()

set(lto_link "")
if(TROTH_LTO AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(troth_objects PRIVATE -flto=auto -ffat-lto-objects)
    set(lto_link -flto=auto)
endif()

add_library(troth_shared SHARED $<TARGET_OBJECTS:troth_objects>)
set_target_properties(troth_shared PROPERTIES OUTPUT_NAME troth VERSION ${PROJECT_VERSION} SOVERSION 0
    LINKER_LANGUAGE C LINK_DEPENDS ${CMAKE_SOURCE_DIR}/src/libtroth.map)
target_link_options(troth_shared PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/src/libtroth.map ${lto_link})
if(NOT TROTH_SANITIZE)
    target_link_options(troth_shared PRIVATE -Wl,-z,defs)
endif()
target_link_libraries(troth_shared PRIVATE troth_flags ${troth_needs})
target_include_directories(troth_shared INTERFACE ${CMAKE_SOURCE_DIR}/include)

add_library(troth_internal STATIC $<TARGET_OBJECTS:troth_objects>)
set_target_properties(troth_internal PROPERTIES OUTPUT_NAME troth_internal LINKER_LANGUAGE C)
target_link_libraries(troth_internal PUBLIC ${troth_needs})
target_include_directories(troth_internal PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include
    ${CMAKE_BINARY_DIR}/gen)
if(lto_link)
    target_link_options(troth_internal INTERFACE -fno-lto)      # tests use the plain half of the fat objects
endif()

if(TROTH_LOCALIZE)
    set(one ${CMAKE_BINARY_DIR}/gen/libtroth.o)
    if(lto_link)
        set(lto_reloc -flto=auto -flinker-output=nolto-rel -O2)
    endif()
    add_custom_command(OUTPUT ${one} DEPENDS troth_objects $<TARGET_OBJECTS:troth_objects>
        COMMAND ${CMAKE_C_COMPILER} -r -nostdlib ${lto_reloc} -o ${one} $<TARGET_OBJECTS:troth_objects>
        COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${one}
        COMMAND_EXPAND_LISTS VERBATIM)
    add_library(troth_static STATIC ${one})
    set_source_files_properties(${one} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
else()
    add_library(troth_static STATIC $<TARGET_OBJECTS:troth_objects>)
endif()
set_target_properties(troth_static PROPERTIES OUTPUT_NAME troth LINKER_LANGUAGE C)
target_link_libraries(troth_static INTERFACE ${troth_needs})
target_include_directories(troth_static INTERFACE ${CMAKE_SOURCE_DIR}/include)
