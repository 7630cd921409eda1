!> A host that adds what the closure gives to its tendency, and keeps its own scheme where the
!> closure does not know the column. Argument: archive.
program host_policy
  use ccpp_kinds, only: kind_phys
  use guarded, only: guarded_final, guarded_init, guarded_run
  implicit none (type, external)

  integer, parameter :: n_column = 3, n_level = 5
  real(kind_phys) :: temperature(n_column, n_level), pressure(n_column), heating(n_column, n_level)
  real(kind_phys) :: rain(n_column)
  logical :: untouched(n_column)
  character(len=1024) :: archive
  character(len=512) :: message
  integer :: code, i

  call get_command_argument(1, archive)
  call guarded_init(trim(archive), n_level, message, code)
  if (code /= 0) error stop message
  temperature = 250
  pressure = [800.0_kind_phys, 2000.0_kind_phys, 800.0_kind_phys]
  do i = 1, 2
    heating = 1
    rain = -1
    call guarded_run(n_column, temperature, pressure, heating, rain, untouched, message, code)
    if (code /= 0) error stop message
  end do
  write (*, '(*(l2))') untouched
  write (*, '(*(es24.16))') heating(:, 1), rain
  call guarded_run(0, temperature(:0, :), pressure(:0), heating(:0, :), rain(:0), untouched(:0), &
                   message, code)
  if (code /= 0) error stop 'a chunk without columns is no error'
  call guarded_final(message, code)
end program host_policy
