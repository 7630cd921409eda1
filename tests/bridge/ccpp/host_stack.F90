!> A host of a closure whose state has two dimensions of its own. Argument: archive.
program host_stack
  use ccpp_kinds, only: kind_phys
  use stack, only: stack_init, stack_run
  implicit none (type, external)

  integer, parameter :: n_column = 2
  real(kind_phys) :: x(n_column), memory(n_column, 2, 3), weight(n_column), total(n_column, 2, 3)
  character(len=1024) :: archive
  character(len=512) :: message
  integer :: code, i

  call get_command_argument(1, archive)
  call stack_init(trim(archive), 2, 3, message, code)
  if (code /= 0) error stop message
  x = [1, 2]
  memory = 0
  weight = 0
  do i = 1, 3
    call stack_run(n_column, x, memory, weight, total, message, code)
    if (code /= 0) error stop message
  end do
  do i = 1, n_column
    write (*, '(*(es24.16))') weight(i), memory(i, 1, :), memory(i, 2, :), &
      total(i, 1, :), total(i, 2, :)
  end do
  call stack_run(n_column, x, memory(:, :, :2), weight, total, message, code)
  if (index(message, 'memory: expected shape (n_column, 2, 3)') /= 1) error stop message
end program host_stack
