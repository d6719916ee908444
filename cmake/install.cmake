# cmake --install: headers, both libraries, pkg-config file, CMake package, the program, units of systemd, man pages.
include(CMakePackageConfigHelpers)
set(cmakedir ${CMAKE_INSTALL_LIBDIR}/cmake/troth)
install(TARGETS troth_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS troth_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET troth)
    install(TARGETS troth RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    install(DIRECTORY docs/schema DESTINATION ${CMAKE_INSTALL_DOCDIR}) # of what --json prints
endif()
install(DIRECTORY include/troth DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.def")

# what a static link needs besides: from what this build found
set(requires_private libcrypto)
set(libs_private "")
set(static_libs crypto)
foreach(l ${troth_private_libs})
    if(l STREQUAL "ipsec_mb")
        string(APPEND libs_private " -lIPSec_MB")
        list(APPEND static_libs IPSec_MB)
    elseif(l STREQUAL "brotli")
        list(APPEND requires_private libbrotlienc libbrotlidec)
        list(APPEND static_libs brotlienc brotlidec brotlicommon)
    elseif(l STREQUAL "zlib")
        list(APPEND requires_private zlib)
        list(APPEND static_libs z)
    elseif(l STREQUAL "zstd")
        list(APPEND requires_private libzstd)
        list(APPEND static_libs zstd)
    endif()
endforeach()
list(JOIN requires_private ", " requires_private)
file(RELATIVE_PATH pc_prefix "/x/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/x")
configure_file(cmake/libtroth.pc.in gen/libtroth.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/gen/libtroth.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_package_config_file(cmake/trothConfig.cmake.in gen/trothConfig.cmake INSTALL_DESTINATION ${cmakedir}
    PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(gen/trothConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/gen/trothConfig.cmake ${CMAKE_BINARY_DIR}/gen/trothConfigVersion.cmake
    DESTINATION ${cmakedir})

# units of systemd, with what both services give up
if(TARGET troth)
    set(TROTH_SYSTEMD_DIR lib/systemd/system CACHE STRING "where units are installed, below the prefix")
    file(READ cli/systemd/hardening hardening)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS cli/systemd/hardening)
    foreach(verb serve proxy)
        configure_file(cli/systemd/troth-${verb}.service.in gen/troth-${verb}.service @ONLY)
        install(FILES ${CMAKE_BINARY_DIR}/gen/troth-${verb}.service cli/systemd/troth-${verb}.socket DESTINATION ${TROTH_SYSTEMD_DIR})
        install(FILES docs/examples/${verb}.yaml DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
    endforeach()
endif()

# man pages: tools/make-man writes them as scdoc out of the headers, the reasons, the program's tables and docs/man
find_program(SCDOC scdoc)
find_program(PYTHON python3)
if(SCDOC AND PYTHON AND NOT TROTH_FUZZ)
    file(GLOB said CONFIGURE_DEPENDS docs/man/*.scd docs/examples/*.c include/troth/* cli/*.def cli/common/args.h tools/program_tables.py)
    add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/man/made DEPENDS ${said} tools/make-man tools/install-man
        COMMAND ${CMAKE_COMMAND} -E rm -rf man
        COMMAND ${PYTHON} ${CMAKE_SOURCE_DIR}/tools/make-man man
        COMMAND sh ${CMAKE_SOURCE_DIR}/tools/install-man ${SCDOC} man
        COMMAND ${CMAKE_COMMAND} -E touch man/made
        WORKING_DIRECTORY ${CMAKE_BINARY_DIR} VERBATIM)
    add_custom_target(man ALL DEPENDS ${CMAKE_BINARY_DIR}/man/made)
    install(DIRECTORY ${CMAKE_BINARY_DIR}/man/man1 ${CMAKE_BINARY_DIR}/man/man3
        ${CMAKE_BINARY_DIR}/man/man5 ${CMAKE_BINARY_DIR}/man/man7
        DESTINATION ${CMAKE_INSTALL_MANDIR})
else()
    message(STATUS "no scdoc: man pages are not built")
endif()

# completions, from the same tables
if(PYTHON AND TARGET troth)
    add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/completions/made DEPENDS cli/verbs.def cli/options.def tools/make-completions tools/program_tables.py
        COMMAND ${PYTHON} ${CMAKE_SOURCE_DIR}/tools/make-completions completions
        COMMAND ${CMAKE_COMMAND} -E touch completions/made
        WORKING_DIRECTORY ${CMAKE_BINARY_DIR} VERBATIM)
    add_custom_target(completions ALL DEPENDS ${CMAKE_BINARY_DIR}/completions/made)
    install(FILES ${CMAKE_BINARY_DIR}/completions/troth.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME troth)
    install(FILES ${CMAKE_BINARY_DIR}/completions/_troth DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
    install(FILES ${CMAKE_BINARY_DIR}/completions/troth.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
