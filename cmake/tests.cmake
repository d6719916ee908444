# How a test file says what it needs, in its first ten lines:
#   /* ctest: slow */  /* ctest: label=interop slow serial timeout=600 */     labels, RUN_SERIAL, TIMEOUT; the first word that is
#                                                                              none of these ends the list
#   /* links: jansson crypto */                                              libraries (cmake/libs.cmake), or -lNAME
function(troth_head src out)
    file(STRINGS ${src} lines LIMIT_COUNT 10)
    string(REPLACE ";" " " lines "${lines}")
    set(${out} "${lines}" PARENT_SCOPE)
endfunction()

function(troth_wanted_libs src libs missing)
    troth_head(${src} head)
    set(found "")
    set(${missing} "" PARENT_SCOPE)
    if(head MATCHES "links:([a-zA-Z0-9_ ]+)")
        separate_arguments(words UNIX_COMMAND "${CMAKE_MATCH_1}")
        foreach(w ${words})
            if(TARGET lib_${w})
                list(APPEND found lib_${w})
            else()
                find_library(LIB_${w} ${w})
                if(LIB_${w})
                    list(APPEND found ${LIB_${w}})
                else()
                    set(${missing} ${w} PARENT_SCOPE)
                endif()
            endif()
        endforeach()
    endif()
    set(${libs} "${found}" PARENT_SCOPE)
endfunction()

set(troth_test_env
    "TROTH=${CMAKE_BINARY_DIR}/bin/troth" "BUILD_DIR=${CMAKE_BINARY_DIR}" "SRC_DIR=${CMAKE_SOURCE_DIR}"
    "CC=${CMAKE_C_COMPILER}" "TROTH_CONFIG=/dev/null" # nor are its settings
    "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1"
    "UBSAN_OPTIONS=print_stacktrace=1")

# A proxy of the machine's is none of the tests'.
set(troth_test_env_without "")
foreach(v http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY)
    list(APPEND troth_test_env_without "${v}=unset:")
endforeach()

# troth_register(NAME folder src command...): one ctest test with its labels
function(troth_register name folder src)
    add_test(NAME ${name} COMMAND ${ARGN})
    troth_head(${src} head)
    set(labels ${folder})
    set(timeout 600) # against hanging, not a limit of speed: machines are slow, and sanitizers on a busy one slower still
    if(head MATCHES "ctest:([a-zA-Z0-9_=, ]+)")
        string(REPLACE "," " " words "${CMAKE_MATCH_1}")
        separate_arguments(words UNIX_COMMAND "${words}")
        foreach(w ${words})
            if(w MATCHES "^timeout=([0-9]+)$")
                set(timeout ${CMAKE_MATCH_1})
            elseif(w STREQUAL "serial")
                set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
            elseif(w STREQUAL "slow")
                list(APPEND labels slow)
            elseif(w MATCHES "^label=([a-z0-9_]+)$")
                list(APPEND labels ${CMAKE_MATCH_1})
            else() # the sentence that follows
                break()
            endif()
        endforeach()
        if("slow" IN_LIST labels AND timeout EQUAL 600)
            set(timeout 1500)
        endif()
    endif()
    set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout} SKIP_RETURN_CODE 77
        ENVIRONMENT "${troth_test_env}" ENVIRONMENT_MODIFICATION "${troth_test_env_without}" WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()
