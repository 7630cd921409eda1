# Instrument core and hosts. Engines are left out: torch is not instrumented, and what it
# allocates and the engine frees would be reported as faults that are none.
if(HYBRID_SANITIZE)
  get_property(PARTS DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)
  foreach(PART IN LISTS PARTS)
    get_target_property(TYPE ${PART} TYPE)
    if(PART MATCHES "^hybrid(_fortran)?$" OR TYPE STREQUAL "EXECUTABLE")
      target_compile_options(${PART} PRIVATE
        -fsanitize=${HYBRID_SANITIZE} -fno-omit-frame-pointer -g -O1)
      target_link_options(${PART} PRIVATE -fsanitize=${HYBRID_SANITIZE})
    endif()
  endforeach()
endif()
