!> Every misuse in turn; prints `case|stat|message` and lives to tell.
!> Arguments: a good archive, a file that is no archive, an archive of a newer format.
program errors
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)

  integer, parameter :: n_column = 6, n_level = 5
  type(closure_t) :: closure, other
  type(binding_t) :: columns
  real(real64), target :: t(n_column, n_level), ps(n_column), dtdt(n_column, n_level), &
    rain(n_column), tall(n_column, 7)
  real(real64), allocatable, target :: never(:)
  real(real64), target :: nothing(0), deep(2, 2, 2, 2)
  integer(int64) :: ids(5)
  character(len=1024) :: good, text, newer
  character(len=500) :: errmsg
  character(len=20) :: short
  integer :: stat

  call get_command_argument(1, good)
  call get_command_argument(2, text)
  call get_command_argument(3, newer)
  t = 250.0_real64
  ps = 9.0e4_real64
  dtdt = -1.0_real64
  rain = -1.0_real64
  tall = 250.0_real64
  ids = 1_int64

  call columns%create(closure, n_column, stat=stat, errmsg=errmsg)
  call say('not loaded')
  call columns%run(1, stat, errmsg)
  call say('not created')
  call other%load('nowhere/none.pt', stat=stat, errmsg=errmsg)
  call say('missing file')
  call other%load(text, stat=stat, errmsg=errmsg)
  call say('not an archive')
  call other%load(newer, stat=stat, errmsg=errmsg)
  call say('newer format')
  call other%load(good, engine='onnx', stat=stat, errmsg=errmsg)
  call say('unknown engine')

  call closure%load(good, stat=stat, errmsg=errmsg)
  call say('good')
  call columns%create(closure, n_column, column_id=ids, stat=stat, errmsg=errmsg)
  call say('wrong number of ids')
  call columns%create(closure, n_column, policy='gently', stat=stat, errmsg=errmsg)
  call say('unknown policy')
  call columns%create(closure, 0, stat=stat, errmsg=errmsg)
  call say('no columns')

  call columns%create(closure, n_column, stat=stat, errmsg=errmsg)
  call columns%bind('state_x', t, dims='column,level', units='K', stat=stat, errmsg=errmsg)
  call say('unknown field')
  call columns%bind('state_t', t, dims='column,level', units='Pa', stat=stat, errmsg=errmsg)
  call say('wrong units')
  call columns%bind('state_t', ps, dims='column', units='K', stat=stat, errmsg=errmsg)
  call say('wrong rank')
  call columns%bind('state_t', tall, dims='column,level', units='K', stat=stat, errmsg=errmsg)
  call say('wrong size')
  call columns%bind('state_t', t, dims='column,lev', units='K', stat=stat, errmsg=errmsg)
  call say('wrong dims')
  call columns%bind('state_ps', never, dims='column', units='Pa', stat=stat, errmsg=errmsg)
  call say('never allocated')
  deep = 0.0_real64
  call columns%bind('state_ps', deep, dims='a,b,c,d', units='Pa', stat=stat, errmsg=errmsg)
  call say('too many dims')
  call columns%bind('state_ps', nothing, dims='column', units='Pa', stat=stat, errmsg=errmsg)
  call say('no elements')
  call columns%run(1, stat, errmsg)
  call say('nothing bound')
  call columns%commit(stat, errmsg)
  call say('commit before run')
  call columns%bind('state_t', t, dims='column,level', units='K')
  call columns%bind('state_t', t, dims='column,level', units='K', stat=stat, errmsg=errmsg)
  call say('bound twice')
  call columns%bind('state_ps', ps, dims='column', units='Pa')
  call columns%bind('ptend_t', dtdt, dims='column,level', units='K/s')
  call columns%run(1, stat, errmsg)
  call say('one never bound')
  call columns%bind('precipitation', rain, dims='column', units='m/s')
  call columns%state_set('memory', ps, stat, errmsg)
  call say('no such state')

  t(4, 3) = quiet_nan()
  call columns%run(1, stat, errmsg)
  call say('nan')
  if (any(abs(dtdt + 1.0_real64) > 0.0_real64)) error stop 'outputs were written despite NaN'
  call columns%run(1, stat, short)
  write (*, '(a, "|", i0, "|", a)') 'short message', stat, short
  t(4, 3) = 250.0_real64
  call columns%run(1, stat, errmsg)
  call say('mended')
  if (any(abs(dtdt + 1.0_real64) <= 0.0_real64)) error stop 'outputs were not written'

  call closure%free()
  call columns%run(2, stat, errmsg)
  call say('closure freed first')

contains

  real(real64) function quiet_nan()
    use, intrinsic :: ieee_arithmetic, only: ieee_quiet_nan, ieee_value
    quiet_nan = ieee_value(quiet_nan, ieee_quiet_nan)
  end function quiet_nan

  subroutine say(label)
    character(len=*), intent(in) :: label
    if (stat == 0) errmsg = ''
    write (*, '(a, "|", i0, "|", a)') label, stat, trim(errmsg)
    errmsg = ''
  end subroutine say

end program errors
