! Settings of the two-layer host: group `settings` of a namelist file.

module quasigeostrophic_settings
  use, intrinsic :: iso_fortran_env, only: error_unit, int64, real64
  implicit none(type, external)
  private
  public :: settings_t, physics_t, read_settings, fail

  integer, parameter, public :: path_length = 4096

  !> The equations, see `quasigeostrophic_host`; the defaults are those of `solvers.TwoLayerQG`.
  type :: physics_t
    real(real64) :: length_x = 1.0e6_real64, length_y = 1.0e6_real64 !< size of the domain [m]
    real(real64) :: dt = 7200.0_real64                  !< time step [s]
    real(real64) :: beta = 1.5e-11_real64               !< Coriolis parameter's gradient [m-1 s-1]
    real(real64) :: deformation_radius = 15000.0_real64 !< first baroclinic one, r_d [m]
    real(real64) :: delta = 0.25_real64                 !< ratio of the layers' depths H1/H2 [1]
    real(real64) :: u1 = 0.025_real64, u2 = 0.0_real64  !< mean flow of both layers [m s-1]
    real(real64) :: bottom_drag = 5.787e-7_real64       !< of the lower layer, r [s-1]
    logical :: filter = .true.                          !< filter short waves once a step
  end type physics_t

  !> One run of the host.
  type :: settings_t
    character(len=path_length) :: archive = ''      !< compiled closure; empty: no closure
    character(len=32) :: engine = 'auto'            !< engine of the bridge
    character(len=32) :: policy = 'error'           !< what the guard does with a bad member
    character(len=path_length) :: initial_file = '' !< netCDF: q(member, layer, y, x) [s-1]
    character(len=path_length) :: output_file = ''  !< netCDF: q(time, member, layer, y, x) [s-1]
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
    real(real64) :: length_x, length_y, dt, beta, deformation_radius, delta, u1, u2, bottom_drag
    integer :: n_step, save_every, unit, stat
    integer(int64) :: seed
    logical :: filter, reproducible
    namelist /settings/ archive, engine, policy, initial_file, output_file, length_x, length_y, &
      dt, beta, deformation_radius, delta, u1, u2, bottom_drag, filter, n_step, save_every, seed, &
      reproducible

    if (command_argument_count() /= 1) then
      call fail('expected one argument, the namelist file; usage: '// &
        'hybrid-quasigeostrophic-host SETTINGS')
    end if
    call get_command_argument(1, path)
    archive = run%archive; engine = run%engine; policy = run%policy
    initial_file = run%initial_file; output_file = run%output_file
    associate (p => run%physics)
      length_x = p%length_x; length_y = p%length_y; dt = p%dt; beta = p%beta
      deformation_radius = p%deformation_radius; delta = p%delta
      u1 = p%u1; u2 = p%u2; bottom_drag = p%bottom_drag; filter = p%filter
    end associate
    n_step = run%n_step; save_every = run%save_every
    seed = run%seed; reproducible = run%reproducible
    open (newunit=unit, file=trim(path), status='old', action='read', iostat=stat, iomsg=message)
    if (stat /= 0) call fail('cannot open the namelist file: '//trim(message))
    read (unit, nml=settings, iostat=stat, iomsg=message)
    if (stat /= 0) call fail(trim(path)//': group settings: '//trim(message))
    close (unit)
    run = settings_t(archive, engine, policy, initial_file, output_file, &
      physics_t(length_x, length_y, dt, beta, deformation_radius, delta, u1, u2, bottom_drag, &
      filter), n_step, save_every, seed, reproducible)
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
    write (error_unit, '(2a)') 'hybrid-quasigeostrophic-host: ', trim(message)
    stop 1, quiet = .true.
  end subroutine fail

end module quasigeostrophic_settings
