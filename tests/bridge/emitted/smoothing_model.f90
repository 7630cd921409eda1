!> One step of a grid closure through the module that hybrid emit fortran wrote. Argument: archive.
program smoothing_model
  use, intrinsic :: iso_fortran_env, only: real32
  use hybrid, only: binding_t
  use smoothing_coupling, only: smoothing_coupling_load, smoothing_coupling_prepare, &
    smoothing_coupling_step
  implicit none (type, external)

  integer, parameter :: n_x = 4, n_y = 3, n_member = 2
  type(binding_t) :: columns
  real(real32) :: q(n_x, n_y, n_member), q_tendency(n_x, n_y, n_member)
  character(len=1024) :: archive
  character(len=512) :: message
  integer :: i, stat

  call get_command_argument(1, archive)
  call smoothing_coupling_load(trim(archive), stat, message)
  if (stat /= 0) error stop message
  call smoothing_coupling_prepare(columns, n_member, [n_y, n_x], stat, message)
  if (stat /= 0) error stop message
  q = reshape([(real(i*i, real32), i=1, size(q))], shape(q))
  call smoothing_coupling_step(columns, 1, q, q_tendency, stat, message)
  if (stat /= 0) error stop message
  write (*, '(*(es16.8))') q_tendency
end program smoothing_model
