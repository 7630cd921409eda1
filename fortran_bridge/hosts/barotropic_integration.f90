! The barotropic host without its files.
!
! Procedures hand errors back and never end the process.

module barotropic_integration
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use barotropic_model, only: add_resolved_tendency, damping, forcing, velocity
  use barotropic_settings, only: physics_t
  use barotropic_waves, only: waves_t
  use hybrid, only: binding_t, closure_t
  implicit none(type, external)
  private
  public :: integration_t

  !> Adams-Bashforth weights, newest tendency first, of a first, a second and every later step.
  real(real64), parameter :: weights(3, 3) = reshape([ &
    1.0_real64, 0.0_real64, 0.0_real64, &
    3.0_real64/2.0_real64, -1.0_real64/2.0_real64, 0.0_real64, &
    23.0_real64/12.0_real64, -16.0_real64/12.0_real64, 5.0_real64/12.0_real64], [3, 3])

  !> A wavenumber is taken as a whole number of waves when it misses one by rounding alone.
  real(real64), parameter :: rounding = 1.0e-9_real64

  !> All members of an ensemble, on their way. The variable must be a `target`: a closure keeps the
  !> addresses of its arrays. Do not assign it, see `closure_t`.
  type :: integration_t
    type(waves_t) :: waves
    integer :: n_member = 0
    integer :: step = 0                                      !< steps done
    type(physics_t), private :: physics
    complex(real64), allocatable, private :: spectrum(:, :, :)    !< (k, l, member) of vorticity
    complex(real64), allocatable, private :: tendency(:, :, :, :) !< (k, l, member, history)
    complex(real64), allocatable, private :: force(:, :), work(:, :, :)
    real(real64), allocatable, private :: gain(:, :)         !< 1 / (1 + damping dt / 2)
    real(real64), allocatable, private :: vorticity(:, :, :), u(:, :, :), v(:, :, :)
    real(real64), allocatable, private :: subgrid(:, :, :)   !< (x, y, member), of the closure
    logical, private :: has_closure = .false.
    type(closure_t), private :: closure
    type(binding_t), private :: members
  contains
    procedure :: create => create_integration
    procedure :: couple
    procedure :: advance
    procedure :: get_vorticity
    procedure :: summary
    procedure :: free => free_integration
  end type integration_t

contains

  !> Begin with vorticity(x, y, member); waves that are not kept are left out.
  subroutine create_integration(self, vorticity, physics, stat, errmsg)
    class(integration_t), intent(inout) :: self
    real(real64), intent(in) :: vorticity(:, :, :)
    type(physics_t), intent(in) :: physics
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    integer :: forced(2), m

    call self%free()
    errmsg = ''
    stat = 1
    call check_physics(physics, shape(vorticity), errmsg)
    if (errmsg /= '') return
    associate (w => self%waves, n => shape(vorticity))
      call w%create(n(1), n(2), physics%length_x, physics%length_y)
      call count_forced(physics, [w%m_x, w%m_y], forced, errmsg)
      if (errmsg /= '') return
      self%n_member = n(3)
      self%step = 0
      self%physics = physics
      allocate (self%spectrum(0:w%m_x, -w%m_y:w%m_y, n(3)))
      allocate (self%tendency(0:w%m_x, -w%m_y:w%m_y, n(3), 0:2), source=(0.0_real64, 0.0_real64))
      allocate (self%force(0:w%m_x, -w%m_y:w%m_y), self%work(0:w%m_x, -w%m_y:w%m_y, 2))
      allocate (self%vorticity, self%u, self%v, self%subgrid, source=0.0_real64*vorticity)
      self%gain = 1.0_real64/(1.0_real64 + 0.5_real64*physics%dt*damping(physics, w%squared))
      call forcing(w, physics%forcing_amplitude, forced(1), forced(2), self%force)
      do m = 1, n(3)
        call w%to_spectrum(vorticity(:, :, m), self%spectrum(:, :, m))
      end do
    end associate
    stat = 0
  end subroutine create_integration

  pure subroutine check_physics(physics, n, errmsg)
    type(physics_t), intent(in) :: physics
    integer, intent(in) :: n(3)
    character(len=*), intent(inout) :: errmsg

    if (any(n(:2) < 4) .or. n(3) < 1) then
      write (errmsg, '(3(a, i0))') 'vorticity: expected at least 4 x 4 points and a member, got ', &
        n(1), ' x ', n(2), ' points and members: ', n(3)
    else if (.not. min(physics%length_x, physics%length_y, physics%dt) > 0.0_real64) then
      write (errmsg, '(a, 3(es10.3, 1x))') 'length_x, length_y, dt: expected positive numbers, '// &
        'got ', physics%length_x, physics%length_y, physics%dt
    else if (.not. min(physics%viscosity, physics%drag, physics%hyperviscosity) &
        >= 0.0_real64) then
      write (errmsg, '(a, 3(es10.3, 1x))') 'viscosity, drag, hyperviscosity: expected no '// &
        'negative number, got ', physics%viscosity, physics%drag, physics%hyperviscosity
    else if (physics%hyperviscosity_order < 2) then
      write (errmsg, '(a, i0)') 'hyperviscosity_order: expected a power of the Laplacian of at '// &
        'least 2, got ', physics%hyperviscosity_order
    end if
  end subroutine check_physics

  !> Whole waves of the forcing along both axes, which must be among those that are kept.
  pure subroutine count_forced(physics, most, forced, errmsg)
    type(physics_t), intent(in) :: physics
    integer, intent(in) :: most(2)
    integer, intent(out) :: forced(2)
    character(len=*), intent(inout) :: errmsg
    real(real64), parameter :: two_pi = 8.0_real64*atan(1.0_real64)
    real(real64) :: counts(2)

    forced = 0
    if (.not. abs(physics%forcing_amplitude) > 0.0_real64) return
    counts = physics%forcing_wavenumber*[physics%length_x, physics%length_y]/two_pi
    if (.not. all(counts > 0.5_real64 .and. counts < most + 0.5_real64)) then
      write (errmsg, '(a, 2(f0.3, 1x), a, 2(i0, 1x))') 'forcing_wavenumber: expected waves '// &
        'that the grid keeps, got ', counts, 'waves along x and y, where it keeps ', most
      return
    end if
    forced = nint(counts)
    if (any(abs(counts - forced) > rounding*counts)) then
      write (errmsg, '(a, 2(f0.6, 1x))') 'forcing_wavenumber: expected whole numbers of waves '// &
        'along x and y, got ', counts
    end if
  end subroutine count_forced

  !> Let the closure of an archive act, which is one of grids of this spacing. Members are numbered
  !> from 1.
  subroutine couple(self, archive, engine, policy, seed, reproducible, stat, errmsg)
    class(integration_t), intent(inout), target :: self
    character(len=*), intent(in) :: archive, engine, policy
    integer(int64), intent(in) :: seed
    logical, intent(in) :: reproducible
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    character(len=*), parameter :: dims = 'x,y,member'
    character(len=256) :: name
    integer :: field

    self%has_closure = .false.
    errmsg = ''
    stat = 1
    if (.not. allocated(self%spectrum)) then
      errmsg = 'couple: expected an integration that has begun, got none; call create before'
      return
    end if
    call self%closure%load(archive, engine=engine, stat=stat, errmsg=errmsg)
    if (stat /= 0) return
    associate (w => self%waves)
      call self%members%create_grid(self%closure, self%n_member, dims='x,y', &
        sizes=[w%n_x, w%n_y], spacing=[w%dx, w%dy], boundary='periodic,periodic', seed=seed, &
        reproducible=reproducible, policy=policy, stat=stat, errmsg=errmsg)
    end associate
    do field = 1, self%closure%field_count('inputs')
      if (stat /= 0) return
      name = self%closure%field_name('inputs', field)
      select case (name)
      case ('vorticity')
        call self%members%bind('vorticity', self%vorticity, dims, '1', stat=stat, errmsg=errmsg)
      case ('u')
        call self%members%bind('u', self%u, dims, '1', stat=stat, errmsg=errmsg)
      case ('v')
        call self%members%bind('v', self%v, dims, '1', stat=stat, errmsg=errmsg)
      case default
        stat = 1
        errmsg = trim(name)//': expected an input among vorticity, u and v, which this model '// &
          'has; export the closure with these'
      end select
    end do
    if (stat /= 0) return
    call self%members%bind('vorticity_tendency', self%subgrid, dims, '1', stat=stat, errmsg=errmsg)
    self%has_closure = stat == 0
  end subroutine couple

  !> One step; after an error the vorticity is what it was.
  subroutine advance(self, stat, errmsg)
    class(integration_t), intent(inout) :: self
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    integer :: m

    stat = 0
    errmsg = ''
    if (.not. allocated(self%spectrum)) then
      stat = 1
      errmsg = 'advance: expected an integration that has begun, got none; call create before'
      return
    end if
    do m = 1, self%n_member
      call set_flow(self, m)
    end do
    if (self%has_closure) then
      ! Members that the guard leaves alone have no closure.
      self%subgrid = 0.0_real64
      ! Steps count from 0, as those of the solvers in Python do: noise is keyed by their number.
      call self%members%run(self%step, stat, errmsg)
      if (stat /= 0) return
      call self%members%commit(stat, errmsg)
      if (stat /= 0) return
    end if
    do m = 1, self%n_member
      call set_tendency(self, m)
      call step_member(self, m)
    end do
    self%step = self%step + 1
  end subroutine advance

  !> Vorticity and velocity of a member on the grid.
  subroutine set_flow(self, m)
    class(integration_t), intent(inout) :: self
    integer, intent(in) :: m

    call velocity(self%waves, self%spectrum(:, :, m), self%work(:, :, 1), self%work(:, :, 2))
    call self%waves%to_grid(self%work(:, :, 1), self%u(:, :, m))
    call self%waves%to_grid(self%work(:, :, 2), self%v(:, :, m))
    call self%waves%to_grid(self%spectrum(:, :, m), self%vorticity(:, :, m))
  end subroutine set_flow

  !> The newest tendency of a member, all that is explicit in time.
  subroutine set_tendency(self, m)
    class(integration_t), intent(inout) :: self
    integer, intent(in) :: m

    associate (newest => self%tendency(:, :, m, modulo(self%step, 3)), w => self%vorticity(:, :, m))
      newest = self%force
      call self%waves%to_spectrum(self%u(:, :, m)*w, self%work(:, :, 1))
      call self%waves%to_spectrum(self%v(:, :, m)*w, self%work(:, :, 2))
      call add_resolved_tendency(self%waves, self%physics, self%spectrum(:, :, m), &
        self%work(:, :, 1), self%work(:, :, 2), newest)
      if (.not. self%has_closure) return
      call self%waves%to_spectrum(self%subgrid(:, :, m), self%work(:, :, 1))
      newest = newest + self%work(:, :, 1)
    end associate
  end subroutine set_tendency

  !> Third-order Adams-Bashforth with Crank-Nicolson for what damps; begun with lower orders.
  subroutine step_member(self, m)
    class(integration_t), intent(inout) :: self
    integer, intent(in) :: m

    associate (w => self%spectrum(:, :, m), f => self%tendency(:, :, m, :), &
      b => self%physics%dt*weights(:, min(self%step, 2) + 1))
      w = self%gain*(2.0_real64*w + b(1)*f(:, :, slot(0)) + b(2)*f(:, :, slot(1)) &
        + b(3)*f(:, :, slot(2))) - w
    end associate

  contains

    !> Where the tendency of some steps ago is; sections count from 1.
    integer function slot(ago)
      integer, intent(in) :: ago
      slot = modulo(self%step - ago, 3) + 1
    end function slot

  end subroutine step_member

  !> Vorticity on the grid, (x, y, member).
  subroutine get_vorticity(self, vorticity)
    class(integration_t), intent(in) :: self
    real(real64), intent(out) :: vorticity(:, :, :)
    integer :: m
    do m = 1, self%n_member
      call self%waves%to_grid(self%spectrum(:, :, m), vorticity(:, :, m))
    end do
  end subroutine get_vorticity

  !> What the guard counted, in one line; blank without a closure.
  function summary(self) result(text)
    class(integration_t), intent(in) :: self
    character(len=4096) :: text
    text = self%members%summary()
  end function summary

  !> Release the closure and the arrays.
  subroutine free_integration(self)
    class(integration_t), intent(inout) :: self
    call self%members%free()
    call self%closure%free()
    self%has_closure = .false.
    if (.not. allocated(self%spectrum)) return
    deallocate (self%spectrum, self%tendency, self%force, self%work, self%gain)
    deallocate (self%vorticity, self%u, self%v, self%subgrid)
  end subroutine free_integration

end module barotropic_integration
