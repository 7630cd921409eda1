# Small Fortran host models, compiled with the module source as any host would.
pkg_check_modules(NETCDFF REQUIRED IMPORTED_TARGET netcdf-fortran)
# Compilers look for modules only where they are told, also in the system's include folder.
find_path(NETCDF_MODULE_FOLDER netcdf.mod PATH_SUFFIXES fortran gfortran REQUIRED)
add_library(hybrid_fortran STATIC ${HYBRID_FORTRAN_SOURCE})
target_link_libraries(hybrid_fortran PUBLIC hybrid)
set_target_properties(hybrid_fortran PROPERTIES
  Fortran_MODULE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/modules)
target_include_directories(hybrid_fortran PUBLIC ${CMAKE_CURRENT_BINARY_DIR}/modules)
set(MODULES_lorenz96 hosts/lorenz96_settings.f90 hosts/lorenz96_model.f90
  hosts/lorenz96_integration.f90 hosts/lorenz96_netcdf.f90
  hosts/lorenz96_output.f90 hosts/lorenz96_restart.f90)
set(MODULES_barotropic hosts/barotropic_settings.f90 hosts/barotropic_waves.f90
  hosts/barotropic_model.f90 hosts/barotropic_integration.f90 hosts/barotropic_files.f90)
set(MODULES_quasigeostrophic hosts/quasigeostrophic_settings.f90 hosts/fftw_transform.f90
  hosts/quasigeostrophic_model.f90 hosts/quasigeostrophic_integration.f90
  hosts/quasigeostrophic_files.f90)
set(CLIMSIM hosts/climsim_settings.f90 hosts/climsim_fields.f90 hosts/climsim_humidity.f90
  hosts/climsim_columns.f90 hosts/climsim_files.f90 hosts/climsim_inputs.f90
  hosts/climsim_output.f90)
set(MODULES_climsim hosts/climsim_ranks_serial.f90 ${CLIMSIM})
set(MODULES_climsim-mpi hosts/climsim_ranks_mpi.f90 ${CLIMSIM})
set(HOSTS barotropic lorenz96 climsim verify)
find_package(MPI COMPONENTS Fortran)
if(MPI_Fortran_HAVE_F08_MODULE)
  list(APPEND HOSTS climsim-mpi)
endif()
pkg_check_modules(FFTW3 IMPORTED_TARGET fftw3)
if(FFTW3_FOUND)
  list(APPEND HOSTS quasigeostrophic)
endif()
foreach(HOST ${HOSTS})
  set(TARGET hybrid-${HOST}-host)
  string(REPLACE "-mpi" "" PROGRAM ${HOST})
  add_executable(${TARGET} ${MODULES_${HOST}} hosts/${PROGRAM}_host.f90)
  target_compile_options(${TARGET} PRIVATE -I${NETCDF_MODULE_FOLDER})
  target_link_libraries(${TARGET} PRIVATE hybrid_fortran PkgConfig::NETCDFF)
  set_target_properties(${TARGET} PROPERTIES
    INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}"
    Fortran_MODULE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/modules/${HOST})
  install(TARGETS ${TARGET} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endforeach()
if(TARGET hybrid-climsim-mpi-host)
  target_link_libraries(hybrid-climsim-mpi-host PRIVATE MPI::MPI_Fortran)
endif()
if(TARGET hybrid-quasigeostrophic-host)
  target_link_libraries(hybrid-quasigeostrophic-host PRIVATE PkgConfig::FFTW3)
endif()
