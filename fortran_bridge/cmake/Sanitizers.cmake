# Instrument everything but the engines: torch is not instrumented, and what it allocates and the
# engine frees would be reported as faults that are none.
if(HYBRID_SANITIZE)
  list(TRANSFORM HYBRID_ENGINES PREPEND "hybrid_" OUTPUT_VARIABLE ENGINE_TARGETS)
  get_property(INSTRUMENTED DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)
  list(REMOVE_ITEM INSTRUMENTED ${ENGINE_TARGETS})
  foreach(PART IN LISTS INSTRUMENTED)
    get_target_property(TYPE ${PART} TYPE)
    if(TYPE MATCHES "LIBRARY|EXECUTABLE")
      target_compile_options(${PART} PRIVATE
        -fsanitize=${HYBRID_SANITIZE} -fno-omit-frame-pointer -g)
      target_link_options(${PART} PRIVATE -fsanitize=${HYBRID_SANITIZE})
    endif()
  endforeach()
endif()
