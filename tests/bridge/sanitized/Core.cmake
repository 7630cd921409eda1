# The core and the stub engine from their sources, for sanitizers and fuzzers.
#
# SANITIZE (list of compiler options) must be set before this is included.
get_filename_component(BRIDGE ${CMAKE_CURRENT_LIST_DIR}/../../../fortran_bridge ABSOLUTE)
get_filename_component(TESTS ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_compile_options(-g1 -O1 -fno-omit-frame-pointer ${SANITIZE})
add_link_options(${SANITIZE})

find_package(nlohmann_json 3.10 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBZIP REQUIRED IMPORTED_TARGET libzip)
find_library(UDUNITS_LIBRARY udunits2 REQUIRED)

# Every source but those of the engines, which need torch.
file(GLOB CORE_SOURCES CONFIGURE_DEPENDS ${BRIDGE}/src/*.cpp)
file(GLOB ENGINE_SOURCES CONFIGURE_DEPENDS ${BRIDGE}/src/torch*.cpp ${BRIDGE}/src/aoti*.cpp)
list(REMOVE_ITEM CORE_SOURCES ${ENGINE_SOURCES})

add_library(core OBJECT ${CORE_SOURCES})
target_include_directories(core PUBLIC ${BRIDGE}/include ${BRIDGE}/src)
target_compile_definitions(core PRIVATE HYBRID_VERSION="0.0.0" _GLIBCXX_ASSERTIONS)
target_link_libraries(core PUBLIC nlohmann_json::nlohmann_json PkgConfig::LIBZIP OpenSSL::Crypto
  ${UDUNITS_LIBRARY} ${CMAKE_DL_LIBS})

# Under the name of the engine that stub archives ask for.
add_library(stub_engine MODULE ${TESTS}/stub_engine/stub_engine.cpp)
target_include_directories(stub_engine PRIVATE ${BRIDGE}/include)
set_target_properties(stub_engine PROPERTIES OUTPUT_NAME hybrid_torchscript)
