!> What goes wrong between a Fortran host and a network, each by its name: prints
!> `case|stat|message`, and where the result must be right, writes it to a file of that name.
!> Arguments: a good archive (five levels), one whose forward returns more than its manifest says,
!> the file of inputs.
program failure_modes
  use, intrinsic :: ieee_arithmetic, only: ieee_quiet_nan, ieee_value
  use, intrinsic :: iso_fortran_env, only: real32, real64, real128
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)

  integer, parameter :: n = 9, n_level = 5
  type(closure_t) :: closure, other
  type(binding_t) :: columns
  real(real64) :: t(n, n_level), ps(n), dtdt(n, n_level), rain(n), more_levels(n, n_level + 1)
  real(real64) :: rows(5, n_level), wide(2*n, 3*n_level), profile(n)
  real(real32) :: t4(n, n_level), ps4(n), dtdt4(n, n_level)
  real(real128) :: t16(n, n_level)
  character(len=1024) :: archive, more_results, input_file
  character(len=500) :: errmsg
  integer :: stat, unit
  logical :: mask(n)

  call get_command_argument(1, archive)
  call get_command_argument(2, more_results)
  call get_command_argument(3, input_file)
  open (newunit=unit, file=trim(input_file), access='stream', form='unformatted', status='old')
  read (unit) t, ps
  close (unit)

  call closure%load('nowhere.pt', stat=stat, errmsg=errmsg)
  call say('missing file')
  call other%load(trim(more_results), stat=stat, errmsg=errmsg)
  call say('more results than declared')
  call closure%load(trim(archive))
  call columns%create(closure, n)

  ! float64 arrays of a float32 network, in and out.
  call put(t)
  call columns%apply(1)
  call columns%get('ptend_t', dtdt, dims='column,level', units='K s-1')
  call keep('float64', dtdt)
  t4 = real(t, real32)
  ps4 = real(ps, real32)
  call columns%put('state_t', t4, dims='column,level', units='K')
  call columns%put('state_ps', ps4, dims='column', units='Pa')
  call columns%apply(1)
  call columns%get('ptend_t', dtdt4, dims='column,level', units='K s-1')
  call keep('float32', real(dtdt4, real64))

  ! Columns run first in memory, every second of them, every third level backwards.
  wide = -7.0_real64
  wide(2::2, 3*n_level:1:-3) = t
  call put(wide(2::2, 3*n_level:1:-3))
  call columns%apply(1)
  wide = -7.0_real64
  call columns%get('ptend_t', wide(::2, 3*n_level - 1:1:-3), dims='column,level', units='K s-1')
  call keep('Fortran strides', wide(::2, 3*n_level - 1:1:-3))
  if (count(abs(wide + 7.0_real64) > 0.0_real64) > n*n_level) error stop 'wrote beside the section'

  t16 = t
  call columns%put('state_t', t16, dims='column,level', units='K', stat=stat, errmsg=errmsg)
  call say('wrong kind')
  more_levels = 250.0_real64
  call columns%put('state_t', more_levels, dims='column,level', units='K', stat=stat, &
    errmsg=errmsg)
  call say('wrong feature count')
  call columns%put('state_t', t(:n - 1, :), dims='column,level', units='K', stat=stat, &
    errmsg=errmsg)
  call say('wrong rows of an input')
  call put(t)
  call columns%apply(1)
  call columns%get('ptend_t', profile, dims='column', units='K s-1', stat=stat, errmsg=errmsg)
  call say('wrong rank of an output')

  ! One column, five rows: a broadcast would fill them all.
  call columns%chunk(1)
  call columns%put('state_t', t(:1, :), dims='column,level', units='K')
  call columns%put('state_ps', ps(:1), dims='column', units='Pa')
  call columns%apply(1)
  rows = -7.0_real64
  call columns%get('ptend_t', rows, dims='column,level', units='K s-1', stat=stat, errmsg=errmsg)
  call say('wrong rows of an output')
  if (any(abs(rows + 7.0_real64) > 0.0_real64)) error stop 'rows were written'

  call columns%chunk(n)
  t(4, 2) = ieee_value(t(4, 2), ieee_quiet_nan)
  call columns%put('state_t', t, dims='column,level', units='K', stat=stat, errmsg=errmsg)
  call say('NaN')
  call columns%create(closure, n, policy='host')
  call put(t)
  call columns%apply(1)
  dtdt = -7.0_real64
  call columns%get('ptend_t', dtdt, dims='column,level', units='K s-1')
  call columns%mask(mask)
  if (count(mask) /= 1 .or. .not. mask(4)) error stop 'the mask does not show the NaN'
  call keep('NaN left to the host', dtdt)

contains

  subroutine put(temperature)
    real(real64), intent(in) :: temperature(:, :)
    call columns%put('state_t', temperature, dims='column,level', units='K')
    call columns%put('state_ps', ps, dims='column', units='Pa')
  end subroutine put

  subroutine keep(name, values)
    character(len=*), intent(in) :: name
    real(real64), intent(in) :: values(:, :)
    open (newunit=unit, file=name, access='stream', form='unformatted', status='replace')
    write (unit) values
    close (unit)
  end subroutine keep

  subroutine say(label)
    character(len=*), intent(in) :: label
    if (stat == 0) errmsg = ''
    write (*, '(a, "|", i0, "|", a)') label, stat, trim(errmsg)
    errmsg = ''
  end subroutine say

end program failure_modes
