# bench/NAME.c: one program each, linked with the internal archive; `links:` in the first lines adds peers' libraries.
file(GLOB benches CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.c)
foreach(src ${benches})
    get_filename_component(name ${src} NAME_WE)
    troth_wanted_libs(${src} libs missing)
    if(missing)
        message(STATUS "bench ${name}: left out, no ${missing}")
        continue()
    endif()
    add_executable(bench_${name} ${src})
    target_link_libraries(bench_${name} PRIVATE troth_flags_tests troth_internal ${libs})
    set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME ${name}
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endforeach()
