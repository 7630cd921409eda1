! The resolved Lorenz-96 equations with a closure from the bridge in place of the fast variables.
!
!   dX_k/dt = -X_{k-1} (X_{k-2} - X_{k+1}) - X_k + F + U_k,   U = closure(X, state, noise)
!
! Wilks (2005), doi:10.1256/qj.04.03; Arnold et al. (2013), doi:10.1098/rsta.2011.0479.
! Classical fourth-order Runge-Kutta; the closure is evaluated at every stage and its state
! advances once a step. All members run together: one closure column is one X_k of one member.
!
! Usage: hybrid-lorenz96-host SETTINGS, where SETTINGS is a namelist file (module `settings`).

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
    character(len=path_length) :: initial_file = '' !< netCDF: x(member, k) and closure state
    character(len=path_length) :: output_file = ''  !< netCDF: x(time, member, k)
    real(real64) :: forcing = 20.0_real64           !< F
    real(real64) :: dt = 0.005_real64               !< time step
    integer :: n_step = 0                           !< number of steps
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
    real(real64) :: forcing, dt
    integer :: n_step, save_every, unit, stat
    integer(int64) :: seed
    logical :: reproducible
    namelist /settings/ archive, engine, policy, initial_file, output_file, forcing, dt, &
      n_step, save_every, seed, reproducible

    if (command_argument_count() /= 1) then
      call fail('expected one argument, the namelist file; usage: hybrid-lorenz96-host SETTINGS')
    end if
    call get_command_argument(1, path)
    archive = run%archive; engine = run%engine; policy = run%policy
    initial_file = run%initial_file; output_file = run%output_file
    forcing = run%forcing; dt = run%dt
    n_step = run%n_step; save_every = run%save_every
    seed = run%seed; reproducible = run%reproducible
    open (newunit=unit, file=trim(path), status='old', action='read', iostat=stat, iomsg=message)
    if (stat /= 0) call fail('cannot open the namelist file: '//trim(message))
    read (unit, nml=settings, iostat=stat, iomsg=message)
    if (stat /= 0) call fail(trim(path)//': group settings: '//trim(message))
    close (unit)
    run = settings_t(archive, engine, policy, initial_file, output_file, forcing, dt, &
      n_step, save_every, seed, reproducible)
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

module lorenz96_files
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use netcdf, only: nf90_clobber, nf90_close, nf90_create, nf90_def_dim, nf90_def_var, &
    nf90_double, nf90_enddef, nf90_get_var, nf90_global, nf90_64bit_offset, nf90_inq_varid, &
    nf90_inquire, nf90_inquire_dimension, nf90_inquire_variable, nf90_max_name, nf90_noerr, &
    nf90_nowrite, nf90_open, nf90_put_att, nf90_put_var, nf90_strerror
  use lorenz96_settings, only: fail, settings_t
  implicit none(type, external)
  private
  public :: initial_t, output_t, read_initial

  !> Contents of the initial file; one column of `state` per closure state field.
  type :: initial_t
    integer :: n_k = 0, n_member = 0
    real(real64), allocatable :: x(:)               !< (n_k * n_member), k fastest
    character(len=nf90_max_name), allocatable :: state_name(:)
    real(real64), allocatable :: state(:, :)        !< (n_k * n_member, number of fields)
  end type initial_t

  !> An output file that is open for writing.
  type :: output_t
    private
    integer :: file = 0, x_id = 0, time_id = 0, n_k = 0, n_member = 0
    integer :: n_record = 0
  contains
    procedure :: create => create_output
    procedure :: write_record
    procedure :: close => close_output
  end type output_t

contains

  !> Read x(member, k) and, under the names of the closure's state fields, its initial state.
  subroutine read_initial(path, initial)
    character(len=*), intent(in) :: path
    type(initial_t), intent(out) :: initial
    character(len=nf90_max_name) :: name
    integer :: file, x_id, id, n_variable, n_state, dims(2), n_dim

    call check(nf90_open(path, nf90_nowrite, file), path)
    call check(nf90_inq_varid(file, 'x', x_id), path//': variable x')
    call check(nf90_inquire_variable(file, x_id, ndims=n_dim), path)
    if (n_dim /= 2) call fail(path//': x: expected dimensions (member, k)')
    call check(nf90_inquire_variable(file, x_id, dimids=dims), path)
    call check(nf90_inquire_dimension(file, dims(1), len=initial%n_k), path)
    call check(nf90_inquire_dimension(file, dims(2), len=initial%n_member), path)
    if (initial%n_k < 4) call fail(path//': x: expected at least 4 values of k')
    allocate (initial%x(initial%n_k*initial%n_member))
    call read_field(file, path, x_id, initial%n_k, initial%x)

    call check(nf90_inquire(file, nvariables=n_variable), path)
    allocate (initial%state_name(n_variable), initial%state(size(initial%x), n_variable))
    n_state = 0
    do id = 1, n_variable
      call check(nf90_inquire_variable(file, id, name=name, ndims=n_dim), path)
      if (n_dim /= 2 .or. id == x_id) cycle
      n_state = n_state + 1
      initial%state_name(n_state) = name
      call read_field(file, path, id, initial%n_k, initial%state(:, n_state))
    end do
    initial%state_name = initial%state_name(:n_state)
    initial%state = initial%state(:, :n_state)
    call check(nf90_close(file), path)
  end subroutine read_initial

  !> Read a variable (member, k) into `values`, k fastest.
  subroutine read_field(file, path, id, n_k, values)
    integer, intent(in) :: file, id, n_k
    character(len=*), intent(in) :: path
    real(real64), intent(out) :: values(:)
    real(real64) :: buffer(n_k, size(values)/n_k)
    call check(nf90_get_var(file, id, buffer, count=shape(buffer)), path)
    values = reshape(buffer, [size(buffer)])
  end subroutine read_field

  !> Define the output file for `n_member` members of `n_k` variables.
  subroutine create_output(self, settings, n_k, n_member)
    class(output_t), intent(inout) :: self
    type(settings_t), intent(in) :: settings
    integer, intent(in) :: n_k, n_member
    character(len=:), allocatable :: path
    character(len=24) :: seed
    integer :: k_dim, member_dim, time_dim

    path = trim(settings%output_file)
    call check(nf90_create(path, ior(nf90_clobber, nf90_64bit_offset), self%file), path)
    self%n_k = n_k
    self%n_member = n_member
    self%n_record = 0
    call check(nf90_def_dim(self%file, 'k', n_k, k_dim), path)
    call check(nf90_def_dim(self%file, 'member', n_member, member_dim), path)
    call check(nf90_def_dim(self%file, 'time', &
      1 + settings%n_step/settings%save_every, time_dim), path)
    call check(nf90_def_var(self%file, 'time', nf90_double, [time_dim], self%time_id), path)
    call check(nf90_def_var(self%file, 'x', nf90_double, [k_dim, member_dim, time_dim], &
      self%x_id), path)
    call put_text(self%file, self%time_id, 'units', '1')
    call put_text(self%file, self%time_id, 'long_name', 'time in Lorenz-96 time units')
    call put_text(self%file, self%x_id, 'units', '1')
    call put_text(self%file, self%x_id, 'long_name', 'slow variable of Lorenz-96')
    call put_text(self%file, nf90_global, 'source', 'hybrid-lorenz96-host')
    call put_text(self%file, nf90_global, 'archive', trim(settings%archive))
    call put_text(self%file, nf90_global, 'engine', trim(settings%engine))
    call check(nf90_put_att(self%file, nf90_global, 'forcing', settings%forcing), path)
    call check(nf90_put_att(self%file, nf90_global, 'dt', settings%dt), path)
    write (seed, '(i0)') settings%seed
    call put_text(self%file, nf90_global, 'seed', trim(seed))
    call check(nf90_enddef(self%file), path)
  end subroutine create_output

  !> Append the state `x` at `time`.
  subroutine write_record(self, time, x)
    class(output_t), intent(inout) :: self
    real(real64), intent(in) :: time
    real(real64), intent(in) :: x(:)
    self%n_record = self%n_record + 1
    call check(nf90_put_var(self%file, self%time_id, time, start=[self%n_record]), 'time')
    call check(nf90_put_var(self%file, self%x_id, reshape(x, [self%n_k, self%n_member]), &
      start=[1, 1, self%n_record], count=[self%n_k, self%n_member, 1]), 'x')
  end subroutine write_record

  subroutine close_output(self)
    class(output_t), intent(inout) :: self
    call check(nf90_close(self%file), 'closing the output file')
  end subroutine close_output

  subroutine put_text(file, id, name, text)
    integer, intent(in) :: file, id
    character(len=*), intent(in) :: name, text
    call check(nf90_put_att(file, id, name, text), name)
  end subroutine put_text

  subroutine check(stat, what)
    integer, intent(in) :: stat
    character(len=*), intent(in) :: what
    if (stat /= nf90_noerr) call fail(what//': '//trim(nf90_strerror(stat)))
  end subroutine check

end module lorenz96_files

module lorenz96_model
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none(type, external)
  private
  public :: add_resolved_tendency

contains

  !> Add the tendency of the resolved terms, -X_{k-1} (X_{k-2} - X_{k+1}) - X_k + F.
  pure subroutine add_resolved_tendency(n_k, n_member, forcing, x, tendency)
    integer, intent(in) :: n_k, n_member
    real(real64), intent(in) :: forcing
    real(real64), intent(in) :: x(n_k, n_member)
    real(real64), intent(inout) :: tendency(n_k, n_member)
    integer :: k, member

    do member = 1, n_member
      do k = 1, n_k
        associate (west => modulo(k - 2, n_k) + 1, far_west => modulo(k - 3, n_k) + 1, &
          east => modulo(k, n_k) + 1)
          tendency(k, member) = tendency(k, member) + forcing - x(k, member) &
            - x(west, member)*(x(far_west, member) - x(east, member))
        end associate
      end do
    end do
  end subroutine add_resolved_tendency

end module lorenz96_model

program lorenz96_host
  use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
  use, intrinsic :: iso_fortran_env, only: int64, output_unit, real64
  use hybrid, only: binding_t, closure_t
  use lorenz96_files, only: initial_t, output_t, read_initial
  use lorenz96_model, only: add_resolved_tendency
  use lorenz96_settings, only: fail, read_settings, settings_t
  implicit none(type, external)

  real(real64), parameter :: weight(4) = [1.0_real64, 2.0_real64, 2.0_real64, 1.0_real64]/6.0_real64
  real(real64), parameter :: offset(4) = [0.0_real64, 0.5_real64, 0.5_real64, 1.0_real64]

  type(settings_t) :: settings
  type(initial_t) :: initial
  type(output_t) :: output
  type(closure_t) :: closure
  type(binding_t) :: columns
  character(len=1024) :: errmsg
  real(real64), allocatable :: x(:), tendency(:), increment(:)
  real(real64), allocatable, target :: x_stage(:), subgrid(:)
  integer :: step, stat
  logical :: has_closure

  call read_settings(settings)
  call read_initial(trim(settings%initial_file), initial)
  x = initial%x
  allocate (tendency(size(x)), increment(size(x)), x_stage(size(x)), subgrid(size(x)))
  subgrid = 0.0_real64
  has_closure = settings%archive /= ''
  if (has_closure) call start_closure()
  call output%create(settings, initial%n_k, initial%n_member)
  call output%write_record(0.0_real64, x)
  do step = 1, settings%n_step
    call advance(step)
    if (modulo(step, settings%save_every) == 0) call save_state(step)
    if (modulo(step, max(1, settings%n_step/50)) == 0) call report_progress(step)
  end do
  call output%close()
  if (has_closure) then
    call columns%free()
    call closure%free()
  end if

contains

  !> Load the archive, bind the stage state and the subgrid tendency, set the initial state.
  subroutine start_closure()
    integer(int64), allocatable :: column_id(:)
    integer(int64) :: i
    integer :: field

    call closure%load(trim(settings%archive), engine=trim(settings%engine), stat=stat, &
      errmsg=errmsg)
    call check()
    column_id = [(i, i=1_int64, size(x, kind=int64))]
    call columns%create(closure, size(x), column_id=column_id, seed=settings%seed, &
      reproducible=settings%reproducible, policy=trim(settings%policy), stat=stat, errmsg=errmsg)
    call check()
    call columns%bind('x', x_stage, dims='column', units='1', stat=stat, errmsg=errmsg)
    call check()
    call columns%bind('x_tendency', subgrid, dims='column', units='1', stat=stat, errmsg=errmsg)
    call check()
    do field = 1, size(initial%state_name)
      call columns%state_set(trim(initial%state_name(field)), initial%state(:, field), &
        stat=stat, errmsg=errmsg)
      call check()
    end do
  end subroutine start_closure

  !> One Runge-Kutta step; the closure sees the same noise and state at all four stages.
  subroutine advance(step)
    integer, intent(in) :: step
    integer :: stage

    increment = 0.0_real64
    tendency = 0.0_real64
    do stage = 1, size(weight)
      x_stage = x + offset(stage)*settings%dt*tendency
      if (has_closure) then
        call columns%run(step, stat=stat, errmsg=errmsg)
        call check()
      end if
      tendency = subgrid
      call add_resolved_tendency(initial%n_k, initial%n_member, settings%forcing, x_stage, &
        tendency)
      increment = increment + weight(stage)*tendency
    end do
    x = x + settings%dt*increment
    if (has_closure) then
      call columns%commit(stat=stat, errmsg=errmsg)
      call check()
    end if
  end subroutine advance

  subroutine save_state(step)
    integer, intent(in) :: step
    character(len=64) :: message

    if (.not. all(ieee_is_finite(x))) then
      write (message, '(a, i0)') 'x is no longer finite at step ', step
      call fail(message)
    end if
    call output%write_record(step*settings%dt, x)
  end subroutine save_state

  subroutine report_progress(step)
    integer, intent(in) :: step
    write (output_unit, '(a, f6.4)') 'progress ', real(step, real64)/settings%n_step
    flush (output_unit)
  end subroutine report_progress

  subroutine check()
    if (stat /= 0) call fail(errmsg)
  end subroutine check

end program lorenz96_host
