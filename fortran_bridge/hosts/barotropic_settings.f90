! Settings of the barotropic host: group `settings` of a namelist file.

module barotropic_settings
  use, intrinsic :: iso_fortran_env, only: error_unit, int64, real64
  implicit none(type, external)
  private
  public :: settings_t, physics_t, read_settings, fail

  integer, parameter, public :: path_length = 4096
  real(real64), parameter :: two_pi = 8.0_real64*atan(1.0_real64)

  !> The equation. Every quantity is dimensionless, or in units of the host's own.
  type :: physics_t
    real(real64) :: length_x = two_pi, length_y = two_pi  !< size of the domain
    real(real64) :: dt = 5.0e-3_real64                    !< time step
    real(real64) :: viscosity = 1.0e-3_real64             !< nu
    real(real64) :: drag = 0.1_real64                     !< mu
    real(real64) :: beta = 0.0_real64                     !< gradient of the Coriolis parameter
    real(real64) :: hyperviscosity = 0.0_real64           !< nu_p
    integer :: hyperviscosity_order = 4                   !< p, the power of the Laplacian
    real(real64) :: forcing_wavenumber = 4.0_real64       !< k_f of F = A (cos k_f x + cos k_f y)
    real(real64) :: forcing_amplitude = 4.0_real64        !< A; 0: no forcing
  end type physics_t

  !> One run of the host.
  type :: settings_t
    character(len=path_length) :: archive = ''      !< compiled closure; empty: no closure
    character(len=32) :: engine = 'auto'            !< engine of the bridge
    character(len=32) :: policy = 'error'           !< what the guard does with a bad member
    character(len=path_length) :: initial_file = '' !< netCDF: vorticity(member, y, x)
    character(len=path_length) :: output_file = ''  !< netCDF: vorticity(time, member, y, x)
    type(physics_t) :: physics
    integer :: n_step = 0                           !< number of steps of this run
    integer :: save_every = 1                       !< steps between saved states
    integer(int64) :: seed = 0_int64                !< seed of the closure's noise
    logical :: reproducible = .true.                !< results independent of the batch size
  end type settings_t

contains

  !> Read and check group `settings` of the namelist file named on the command line.
  subroutine read_settings(run)
    type(settings_t), intent(out) :: run
    character(len=path_length) :: archive, initial_file, output_file, path
    character(len=32) :: engine, policy
    character(len=512) :: message
    real(real64) :: length_x, length_y, dt, viscosity, drag, beta, hyperviscosity, &
      forcing_wavenumber, forcing_amplitude
    integer :: hyperviscosity_order, n_step, save_every, unit, stat
    integer(int64) :: seed
    logical :: reproducible
    namelist /settings/ archive, engine, policy, initial_file, output_file, length_x, length_y, &
      dt, viscosity, drag, beta, hyperviscosity, hyperviscosity_order, forcing_wavenumber, &
      forcing_amplitude, n_step, save_every, seed, reproducible

    if (command_argument_count() /= 1) then
      call fail('expected one argument, the namelist file; usage: hybrid-barotropic-host SETTINGS')
    end if
    call get_command_argument(1, path)
    archive = run%archive; engine = run%engine; policy = run%policy
    initial_file = run%initial_file; output_file = run%output_file
    associate (p => run%physics)
      length_x = p%length_x; length_y = p%length_y; dt = p%dt
      viscosity = p%viscosity; drag = p%drag; beta = p%beta
      hyperviscosity = p%hyperviscosity; hyperviscosity_order = p%hyperviscosity_order
      forcing_wavenumber = p%forcing_wavenumber; forcing_amplitude = p%forcing_amplitude
    end associate
    n_step = run%n_step; save_every = run%save_every
    seed = run%seed; reproducible = run%reproducible
    open (newunit=unit, file=trim(path), status='old', action='read', iostat=stat, iomsg=message)
    if (stat /= 0) call fail('cannot open the namelist file: '//trim(message))
    read (unit, nml=settings, iostat=stat, iomsg=message)
    if (stat /= 0) call fail(trim(path)//': group settings: '//trim(message))
    close (unit)
    run = settings_t(archive, engine, policy, initial_file, output_file, &
      physics_t(length_x, length_y, dt, viscosity, drag, beta, hyperviscosity, &
      hyperviscosity_order, forcing_wavenumber, forcing_amplitude), &
      n_step, save_every, seed, reproducible)
    call check_settings(run)
  end subroutine read_settings

  !> What is not physics: `integration_t` checks that, whoever uses it.
  subroutine check_settings(run)
    type(settings_t), intent(in) :: run
    if (run%initial_file == '') call fail('initial_file: expected a netCDF file, got none')
    if (run%output_file == '') call fail('output_file: expected a path, got none')
    if (run%n_step < 1) call fail('n_step: expected at least one step')
    if (run%save_every < 1) call fail('save_every: expected at least 1')
  end subroutine check_settings

  !> Write `message` to standard error and end the program with a nonzero exit status.
  subroutine fail(message)
    character(len=*), intent(in) :: message
    write (error_unit, '(2a)') 'hybrid-barotropic-host: ', trim(message)
    stop 1, quiet = .true.
  end subroutine fail

end module barotropic_settings
