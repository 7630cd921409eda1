!> Two bindings of one model step through the module that hybrid emit fortran wrote. Argument:
!> archive.
program persistence_model
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use hybrid, only: binding_t
  use persistence_coupling, only: persistence_coupling_load, persistence_coupling_prepare, &
    persistence_coupling_step
  implicit none (type, external)

  integer, parameter :: n_column = 3, n_thread = 2, n_step = 4
  type(binding_t) :: columns(n_thread)
  real(real64) :: x(n_column, n_thread), x_tendency(n_column, n_thread)
  character(len=1024) :: archive
  character(len=512) :: message
  integer :: i, step, stat

  call get_command_argument(1, archive)
  call persistence_coupling_load('nowhere.pt', stat, message)
  if (stat == 0 .or. index(message, 'nowhere.pt: expected') /= 1) error stop message
  call persistence_coupling_load(trim(archive), stat, message)
  if (stat /= 0) error stop message
  do i = 1, n_thread
    call persistence_coupling_prepare(columns(i), n_column, int(1 + (i - 1)*n_column, int64), &
                                      7_int64, stat, message)
    if (stat /= 0) error stop message
  end do
  x = 0.5_real64
  do step = 1, n_step
    do i = 1, n_thread
      call persistence_coupling_step(columns(i), step, x(:, i), x_tendency(:, i), stat, message)
      if (stat /= 0) error stop message
    end do
  end do
  write (*, '(*(es24.16))') x_tendency
end program persistence_model
