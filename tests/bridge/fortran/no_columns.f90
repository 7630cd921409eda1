!> A rank without columns does what the others do. Arguments: archives of a closure of columns, of
!> one with state and noise, and of one on a grid.
program no_columns
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use hybrid, only: binding_t, closure_t, hybrid_reasons
  implicit none (type, external)

  integer, parameter :: n_level = 5
  type(closure_t) :: closure
  type(binding_t) :: columns
  real(real64), allocatable, target :: t(:, :), ps(:), dtdt(:, :), rain(:)
  real(real64), allocatable :: halo(:, :, :), field(:, :, :)
  real(real64), pointer :: never(:) => null()
  real(real64) :: memory(n_level, 0), timers(3)
  logical :: mask(0)
  integer :: reasons(0), stat
  integer(int64) :: evaluated, flagged(hybrid_reasons), n_run
  character(len=1024) :: archive
  character(len=200) :: errmsg

  allocate (t(0, n_level), ps(0), dtdt(n_level, 0), rain(0), halo(6, 3, 0), field(4, 3, 0))
  call get_command_argument(1, archive)
  call closure%load(archive)
  call with_columns(.true.)
  call with_columns(.false.)
  call in_chunks()

  call get_command_argument(2, archive)
  call closure%load(archive)
  call columns%create(closure, 0, column_id=[integer(int64) ::], seed=3_int64)
  call columns%bind('x', ps, dims='column', units='1')
  call columns%bind('x_tendency', rain, dims='column', units='s-1')
  call columns%state_set('memory', memory)
  call columns%run(1)
  call columns%commit()
  call columns%state_get('memory', memory)

  call get_command_argument(3, archive)
  call closure%load(archive)
  call columns%create_grid(closure, 0, 'y,x', [3, 4], [5.0_real64, 10.0_real64], 'periodic,halo', &
                           reproducible=.false.)
  call columns%put('q', halo, dims='x,y,member', units='m')
  call columns%apply(1)
  call columns%get('q_x', field, dims='x,y,member', units='1')
  write (*, '(a)') 'nothing went wrong'

contains

  subroutine with_columns(reproducible)
    logical, intent(in) :: reproducible
    integer :: step
    call columns%create(closure, 0, reproducible=reproducible, policy='host')
    call columns%bind('state_ps', never, dims='column', units='hPa', stat=stat, errmsg=errmsg)
    if (stat == 0) error stop 'an array that does not exist was bound'
    if (index(errmsg, 'state_ps: expected an array with elements, got none') /= 1) error stop errmsg
    call columns%bind('state_ps', t, dims='column,level', units='hPa', stat=stat)
    if (stat == 0) error stop 'a wrong rank was bound'
    call columns%bind('state_t', t, dims='column,level', units='K')
    call columns%bind('state_ps', ps, dims='column', units='hPa')
    call columns%bind('ptend_t', dtdt, dims='level,column', units='K/day', accumulate=.true.)
    call columns%bind('precipitation', rain, dims='column', units='mm/day')
    do step = 1, 2
      call columns%run(step)
      call columns%commit()
    end do
    call columns%mask(mask)
    call columns%reasons(reasons)
    call columns%counts(evaluated, flagged)
    call columns%timers(n_run, timers(1), timers(2), timers(3))
    if (evaluated /= 0 .or. any(flagged /= 0) .or. n_run /= 2) error stop 'counts'
  end subroutine with_columns

  subroutine in_chunks()
    real(real64) :: some_t(2, n_level), some_ps(2), some_rain(2)
    integer :: n, step
    some_t = 270.0_real64
    some_ps = 1000.0_real64
    some_rain = -1.0_real64
    call columns%create(closure, 2)
    call columns%ramp('precipitation', 1.0_real64, 1.0_real64, 0, 0)
    do step = 1, 3
      n = merge(0, 2, step == 2)
      call columns%chunk(n)
      call columns%put('state_t', some_t(:n, :), dims='column,level', units='K')
      call columns%put('state_ps', some_ps(:n), dims='column', units='hPa')
      call columns%apply(step)
      call columns%get('precipitation', some_rain(:n), dims='column', units='mm/day')
      if (step == 2 .and. any(some_rain > -1.0_real64)) error stop 'something was written'
      if (step /= 2 .and. any(some_rain < 0.0_real64)) error stop 'nothing was written'
      some_rain = -1.0_real64
    end do
  end subroutine in_chunks

end program no_columns
