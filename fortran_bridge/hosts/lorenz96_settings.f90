! Settings of the Lorenz-96 host: group `settings` of a namelist file.

module lorenz96_settings
  use, intrinsic :: iso_fortran_env, only: error_unit, int64, real64
  implicit none(type, external)
  private
  public :: settings_t, read_settings, fail

  integer, parameter, public :: path_length = 4096

  !> One run of the host. Time is in Lorenz-96 time units and every quantity is dimensionless.
  type :: settings_t
    character(len=path_length) :: archive = ''      !< compiled closure; empty: no closure
    character(len=32) :: engine = 'auto'            !< engine of the bridge
    character(len=32) :: policy = 'error'           !< what the guard does with a bad column
    character(len=path_length) :: initial_file = '' !< netCDF: x(member, k) and closure state; also
    !< a restart file, whose run goes on as if it had not been interrupted if the seed is the same
    character(len=path_length) :: output_file = ''  !< netCDF: x(time, member, k)
    character(len=path_length) :: restart_file = '' !< netCDF, written at the end; empty: none
    real(real64) :: forcing = 20.0_real64           !< F
    real(real64) :: coefficients(4) = 0.0_real64    !< b0 to b3 of the host's own scheme,
    !< U = b0 + b1 X + b2 X**2 + b3 X**3, which acts wherever the closure does not
    real(real64) :: dt = 0.005_real64               !< time step
    integer :: n_step = 0                           !< number of steps of this run
    integer :: save_every = 1                       !< steps between saved states
    integer(int64) :: seed = 0_int64                !< seed of the closure's noise
    logical :: reproducible = .true.                !< results independent of the batch size
  end type settings_t

contains

  !> Read and check group `settings` of the namelist file named on the command line.
  subroutine read_settings(run)
    type(settings_t), intent(out) :: run
    character(len=path_length) :: archive, initial_file, output_file, restart_file, path
    character(len=32) :: engine, policy
    character(len=512) :: message
    real(real64) :: forcing, coefficients(4), dt
    integer :: n_step, save_every, unit, stat
    integer(int64) :: seed
    logical :: reproducible
    namelist /settings/ archive, engine, policy, initial_file, output_file, restart_file, &
      forcing, coefficients, dt, n_step, save_every, seed, reproducible

    if (command_argument_count() /= 1) then
      call fail('expected one argument, the namelist file; usage: hybrid-lorenz96-host SETTINGS')
    end if
    call get_command_argument(1, path)
    archive = run%archive; engine = run%engine; policy = run%policy
    initial_file = run%initial_file; output_file = run%output_file
    restart_file = run%restart_file
    forcing = run%forcing; coefficients = run%coefficients; dt = run%dt
    n_step = run%n_step; save_every = run%save_every
    seed = run%seed; reproducible = run%reproducible
    open (newunit=unit, file=trim(path), status='old', action='read', iostat=stat, iomsg=message)
    if (stat /= 0) call fail('cannot open the namelist file: '//trim(message))
    read (unit, nml=settings, iostat=stat, iomsg=message)
    if (stat /= 0) call fail(trim(path)//': group settings: '//trim(message))
    close (unit)
    run = settings_t(archive, engine, policy, initial_file, output_file, restart_file, &
      forcing, coefficients, dt, n_step, save_every, seed, reproducible)
    call check_settings(run)
  end subroutine read_settings

  subroutine check_settings(run)
    type(settings_t), intent(in) :: run
    if (run%initial_file == '') call fail('initial_file: expected a netCDF file, got none')
    if (run%output_file == '') call fail('output_file: expected a path, got none')
    if (.not. run%dt > 0.0_real64) call fail('dt: expected a positive time step')
    if (run%n_step < 1) call fail('n_step: expected at least one step')
    if (run%save_every < 1) call fail('save_every: expected at least 1')
  end subroutine check_settings

  !> Write `message` to standard error and end the program with a nonzero exit status.
  subroutine fail(message)
    character(len=*), intent(in) :: message
    write (error_unit, '(2a)') 'hybrid-lorenz96-host: ', trim(message)
    stop 1, quiet = .true.
  end subroutine fail

end module lorenz96_settings
