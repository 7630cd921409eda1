!> A host whose second array can take nothing in one column, where it must not add its own scheme to what
!> it has already got. Argument: archive.
program host_overflow
  use, intrinsic :: ieee_arithmetic, only: ieee_is_finite, ieee_positive_inf, ieee_value
  use ccpp_kinds, only: kind_phys
  use guarded, only: guarded_init, guarded_run
  implicit none (type, external)

  integer, parameter :: n_column = 2, n_level = 5
  real(kind_phys) :: temperature(n_column, n_level), pressure(n_column), heating(n_column, n_level)
  real(kind_phys) :: rain(n_column)
  logical :: untouched(n_column)
  character(len=1024) :: archive
  character(len=512) :: message
  integer :: code

  call get_command_argument(1, archive)
  call guarded_init(trim(archive), n_level, message, code)
  if (code /= 0) error stop message
  temperature = 250
  pressure = 8.0e4_kind_phys
  heating = 0
  rain = [0.0_kind_phys, ieee_value(1.0_kind_phys, ieee_positive_inf)]
  call guarded_run(n_column, temperature, pressure, heating, rain, untouched, message, code)
  if (code /= 0) error stop message
  if (any(abs(heating(1, :) - heating(2, :)) > 0)) error stop 'heating'
  if (ieee_is_finite(rain(2)) .or. .not. ieee_is_finite(rain(1))) error stop 'rain'
  write (*, '(*(l2))') untouched
end program host_overflow
