!> How long the first of many runs takes, in units of their median. Arguments: an archive with five
!> levels, and an engine.
program first_call
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)

  integer, parameter :: n = 16, n_level = 5, n_run = 201
  type(closure_t) :: closure
  type(binding_t) :: columns
  real(real64), target :: t(n, n_level), ps(n), dtdt(n, n_level), rain(n)
  integer(int64) :: ticks(n_run), start, finish
  character(len=1024) :: archive
  character(len=16) :: engine
  integer :: i

  call get_command_argument(1, archive)
  call get_command_argument(2, engine)
  t = 250.0_real64
  ps = 9.0e4_real64
  call closure%load(trim(archive), engine=trim(engine))
  call columns%create(closure, n)
  call columns%bind('state_t', t, dims='column,level', units='K')
  call columns%bind('state_ps', ps, dims='column', units='Pa')
  call columns%bind('ptend_t', dtdt, dims='column,level', units='K s-1')
  call columns%bind('precipitation', rain, dims='column', units='m s-1')
  do i = 1, n_run
    call system_clock(start)
    call columns%run(i)
    call system_clock(finish)
    ticks(i) = finish - start
  end do
  write (*, '(es12.4)') real(ticks(1), real64)/max(median(ticks(2:)), 1_int64)

contains

  !> The value that as many are below as above.
  pure integer(int64) function median(values)
    integer(int64), intent(in) :: values(:)
    integer :: i
    median = values(1)
    do i = 1, size(values)
      if (count(values < values(i)) <= size(values)/2 .and. &
        count(values > values(i)) <= size(values)/2) median = values(i)
    end do
  end function median

end program first_call
