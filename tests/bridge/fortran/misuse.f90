!> Misuse of put and get, chunks, guard, coupling modes, state and grids; prints
!> `case|stat|message`. Arguments: archives of y = 2 x with trust, of a closure with state, of one
!> on a grid.
program misuse
  use, intrinsic :: ieee_arithmetic, only: ieee_quiet_nan, ieee_value
  use, intrinsic :: iso_fortran_env, only: int64, int8, real64
  use hybrid, only: binding_t, closure_t, hybrid_reasons, local_device
  implicit none (type, external)

  integer, parameter :: n = 4
  real(real64), parameter :: ten = 10.0_real64
  type(closure_t) :: closure, stateful, mesh
  type(binding_t) :: columns, carrying, members
  real(real64), target :: x(n), y(n), z(n), mean(1), rms(1), largest(1), other(2)
  real(real64) :: profiles(n, 5)
  integer(int64) :: number(1), numbers(2), evaluated, flagged(hybrid_reasons)
  integer(int8) :: bytes(1)
  integer :: reasons(3), stat
  logical :: mask(n + 1)
  character(len=1024) :: archive
  character(len=500) :: errmsg
  character(len=:), allocatable :: device

  call get_command_argument(1, archive)
  call closure%load(archive)
  call get_command_argument(2, archive)
  call stateful%load(archive)
  call get_command_argument(3, archive)
  call mesh%load(archive)
  x = 0.25_real64
  y = 7.0_real64
  z = 7.0_real64
  profiles = 0.0_real64
  bytes = 0_int8

  call columns%put('x', x, dims='column', units='1', stat=stat, errmsg=errmsg)
  call say('put before create')
  call columns%create(closure, n)
  call columns%apply(1, stat, errmsg)
  call say('apply before put')
  call columns%get('y', y, dims='column', units='m', stat=stat, errmsg=errmsg)
  call say('get before apply')
  call columns%put('y', x, dims='column', units='m', stat=stat, errmsg=errmsg)
  call say('put an output')
  call columns%put('x', x(:2), dims='column', units='1', stat=stat, errmsg=errmsg)
  call say('put too few')
  x(3) = ieee_value(x(3), ieee_quiet_nan)
  call columns%put('x', x, dims='column', units='1', stat=stat, errmsg=errmsg)
  call say('put NaN')
  x(3) = 0.25_real64
  call columns%put('x', x, dims='column', units='1')
  call columns%put('x', x, dims='column', units='1', stat=stat, errmsg=errmsg)
  call say('put twice')
  call columns%apply(1)
  call columns%get('x', y, dims='column', units='1', stat=stat, errmsg=errmsg)
  call say('get an input')
  call columns%get('y', y, dims='column', units='s', stat=stat, errmsg=errmsg)
  call say('get in wrong units')
  call columns%get('y', y, dims='column', units='m', stat=stat, errmsg=errmsg)
  call say('get')
  if (any(abs(y - 0.5_real64) > 0.0_real64)) error stop 'get'
  call columns%bind('x', x, dims='column', units='1', accumulate=.true., stat=stat, errmsg=errmsg)
  call say('accumulate into an input')

  call columns%chunk(n + 1, stat=stat, errmsg=errmsg)
  call say('a chunk too large')
  call columns%chunk(2, column_id=[1_int64], stat=stat, errmsg=errmsg)
  call say('a chunk with too few numbers')
  call carrying%create(stateful, n)
  call carrying%chunk(2, stat=stat, errmsg=errmsg)
  call say('a chunk with state')

  mask = .true.
  call columns%mask(mask, stat, errmsg)
  call say('a mask too long')
  if (.not. all(mask)) error stop 'a refused mask was written'
  reasons = 7
  call columns%reasons(reasons, stat, errmsg)
  call say('too few reasons')
  if (any(reasons /= 7)) error stop 'refused reasons were written'
  evaluated = 7_int64
  flagged = 7_int64
  call columns%counts(evaluated, flagged, name='w', stat=stat, errmsg=errmsg)
  call say('counts of no field')
  if (evaluated /= 7_int64 .or. any(flagged /= 7_int64)) error stop 'refused counts were written'
  call columns%threshold(ieee_value(1.0_real64, ieee_quiet_nan), stat, errmsg)
  call say('threshold NaN')
  call carrying%threshold(0.5_real64, stat, errmsg)
  call say('threshold without confidence')

  call columns%ramp('y', 0.0_real64, 1.5_real64, 1, 2, stat, errmsg)
  call say('a share above 1')
  call columns%ramp('y', 0.0_real64, 1.0_real64, 5, 2, stat, errmsg)
  call say('a ramp backwards')
  call columns%shadow('x', stat, errmsg)
  call say('a shadow of an input')
  number = 7_int64
  numbers = 7_int64
  mean = 7.0_real64
  rms = 7.0_real64
  largest = 7.0_real64
  other = 7.0_real64
  call columns%differences('trust', number, mean, rms, largest, stat, errmsg)
  call say('differences without a ramp')
  call columns%shadow('y')
  call columns%differences('y', number, other, rms, largest, stat, errmsg)
  call say('differences of two sizes')
  call columns%differences('y', numbers, other, other, other, stat, errmsg)
  call say('other differences')
  call columns%differences('w', number, mean, rms, largest, stat, errmsg)
  call say('differences of no field')
  if (any([number, numbers] /= 7_int64) .or. are_changed([mean, rms, largest, other])) &
    error stop 'refused differences were written'
  call columns%partial('y', element=[0.5_real64, 0.5_real64], stat=stat, errmsg=errmsg)
  call say('a share of two elements')
  call columns%partial('y', column=x(:0), stat=stat, errmsg=errmsg)
  call say('shares of no columns')
  call columns%get('y', y, dims='column', units='m', accumulate=.true., stat=stat, errmsg=errmsg)
  call say('accumulate a share')

  call carrying%state_get('memory', z, stat, errmsg)
  call say('too few values')
  call carrying%state_get('memories', z, stat, errmsg)
  call say('no such memory')
  profiles = 7.0_real64
  call carrying%state_get('memory', profiles, stat, errmsg)
  call say('columns first')
  if (are_changed(pack(profiles, .true.))) error stop 'a refused state was written'
  call carrying%state_set('memory', profiles, stat, errmsg)
  call say('set with columns first')
  call members%state_get('memory', profiles, stat, errmsg)
  call say('state before create')

  call members%create(mesh, 1, stat=stat, errmsg=errmsg)
  call say('a grid of fixed sizes')
  call members%create_grid(mesh, 1, 'y,x', [3], [5.0_real64, ten], 'periodic,halo', stat=stat, &
                           errmsg=errmsg)
  call say('one size of two')
  call members%create_grid(mesh, 2, 'y,x', [3, 4], [5.0_real64, ten], 'periodic,halo', &
                           member_id=[1_int64], stat=stat, errmsg=errmsg)
  call say('too few members')
  call members%create_grid(mesh, 1, 'y,x', [3, 4], [ten, ten], 'periodic,halo', stat=stat, &
                           errmsg=errmsg)
  call say('another spacing')
  call members%create_grid(mesh, 1, 'y,x', [3, 4], [5.0_real64, ten], 'wall,halo', stat=stat, &
                           errmsg=errmsg)
  call say('another boundary')
  call members%create_grid(closure, 1, 'y,x', [3, 4], [5.0_real64, ten], 'periodic,halo', &
                           stat=stat, errmsg=errmsg)
  call say('a grid for columns')
  device = local_device('cuda', -1, stat, errmsg)
  call say('fewer than no devices')
  call closure%load_bytes(bytes(:0), stat=stat, errmsg=errmsg)
  call say('no bytes')
  if (are_changed(z)) error stop 'memory was written'

contains

  logical function are_changed(values)
    real(real64), intent(in) :: values(:)
    are_changed = any(abs(values - 7.0_real64) > 0.0_real64)
  end function are_changed

  subroutine say(label)
    character(len=*), intent(in) :: label
    if (stat == 0) errmsg = ''
    write (*, '(a, "|", i0, "|", a)') label, stat, trim(errmsg)
    errmsg = ''
  end subroutine say

end program misuse
