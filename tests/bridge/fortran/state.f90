!> A stateful, stochastic closure: commit, restart, mask. Argument: its archive.
program state
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use, intrinsic :: ieee_arithmetic, only: ieee_quiet_nan, ieee_value
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)

  integer, parameter :: n_column = 4, n_element = 5
  type(closure_t) :: closure
  type(binding_t) :: columns, restarted
  real(real64), target :: x(n_column), tendency(n_column), again(n_column)
  real(real64) :: memory(n_column*n_element), profile(n_element, n_column)
  logical :: left_to_host(n_column)
  integer(int64), parameter :: ids(n_column) = [3_int64, 1_int64, 4_int64, 15_int64]
  character(len=1024) :: archive
  integer :: step

  call get_command_argument(1, archive)
  call closure%load(trim(archive))
  x = 0.25_real64
  call prepare(columns, tendency)
  do step = 1, 4
    call columns%run(step)
    call columns%run(step)
    call columns%commit()
    if (step == 2) call columns%state_get('memory', memory)
    if (step == 2) call columns%state_get('memory', profile)
  end do
  write (*, '(4es24.16)') tendency

  if (any(abs(reshape(profile, shape(memory)) - memory) > 0.0_real64)) error stop 'column by column'
  call prepare(restarted, again)
  call restarted%state_set('memory', memory)
  call go_on()
  call prepare(restarted, again)
  call restarted%state_set('memory', profile)
  call go_on()

  x(2) = ieee_value(x(2), ieee_quiet_nan)
  again = -7.0_real64
  call restarted%run(5)
  call restarted%mask(left_to_host)
  if (any(left_to_host .neqv. [.false., .true., .false., .false.])) error stop 'mask'
  if (abs(again(2) + 7.0_real64) > 0.0_real64) error stop 'a masked column was written'
  if (abs(again(1) + 7.0_real64) <= 0.0_real64) error stop 'a good column was not written'

contains

  subroutine go_on()
    again = 0.0_real64
    do step = 3, 4
      call restarted%run(step)
      call restarted%commit()
    end do
    if (any(abs(again - tendency) > 0.0_real64)) error stop 'restart differs'
  end subroutine go_on

  subroutine prepare(binding, output)
    type(binding_t), intent(inout) :: binding
    real(real64), intent(inout), target :: output(:)
    call binding%create(closure, n_column, column_id=ids, seed=42_int64, policy='host')
    call binding%bind('x', x, dims='column', units='1')
    call binding%bind('x_tendency', output, dims='column', units='s-1')
  end subroutine prepare

end program state
