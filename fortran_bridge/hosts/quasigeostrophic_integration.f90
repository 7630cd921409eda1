! The two-layer host without its files.
!
! Procedures hand errors back and never end the process.

module quasigeostrophic_integration
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use fftw_transform, only: transform_t
  use hybrid, only: binding_t, closure_t
  use quasigeostrophic_model, only: waves_t
  use quasigeostrophic_settings, only: physics_t
  implicit none(type, external)
  private
  public :: integration_t

  !> Adams-Bashforth weights, newest tendency first, of a first, a second and every later step.
  real(real64), parameter :: weights(3, 3) = reshape([ &
    1.0_real64, 0.0_real64, 0.0_real64, &
    3.0_real64/2.0_real64, -1.0_real64/2.0_real64, 0.0_real64, &
    23.0_real64/12.0_real64, -16.0_real64/12.0_real64, 5.0_real64/12.0_real64], [3, 3])

  !> All members of an ensemble, on their way. The variable must be a `target`: a closure keeps the
  !> addresses of its arrays. Do not assign it, see `closure_t` and `transform_t`.
  type :: integration_t
    integer :: n_x = 0, n_y = 0, n_member = 0
    integer :: step = 0                                      !< steps done
    type(physics_t), private :: physics
    type(transform_t), private :: transform
    type(waves_t), private :: waves
    complex(real64), allocatable, private :: spectrum(:, :, :, :)    !< (k, l, layer, member) of q
    complex(real64), allocatable, private :: tendency(:, :, :, :, :) !< of q; last, the history
    complex(real64), allocatable, private :: psi(:, :, :), work(:, :, :)
    real(real64), allocatable, private, dimension(:, :, :, :) :: q, u, v !< (x, y, layer, member)
    real(real64), allocatable, private :: subgrid(:, :, :, :) !< of the closure
    logical, private :: has_closure = .false.
    type(closure_t), private :: closure
    type(binding_t), private :: members
  contains
    procedure :: create => create_integration
    procedure :: couple
    procedure :: advance
    procedure :: get_q
    procedure :: summary
    procedure :: free => free_integration
  end type integration_t

contains

  !> Begin with potential vorticity q(x, y, layer, member) [s-1].
  subroutine create_integration(self, q, physics, stat, errmsg)
    class(integration_t), intent(inout) :: self
    real(real64), intent(in) :: q(:, :, :, :)
    type(physics_t), intent(in) :: physics
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    integer :: layer, m

    call self%free()
    errmsg = ''
    stat = 1
    call check_physics(physics, shape(q), errmsg)
    if (errmsg /= '') return
    self%n_x = size(q, 1)
    self%n_y = size(q, 2)
    self%n_member = size(q, 4)
    self%step = 0
    self%physics = physics
    call self%transform%create(self%n_x, self%n_y, stat, errmsg)
    if (stat /= 0) return
    call self%waves%create(self%n_x, self%n_y, physics)
    associate (w => self%waves)
      allocate (self%spectrum(w%n_k, w%n_l, 2, self%n_member))
      allocate (self%tendency(w%n_k, w%n_l, 2, self%n_member, 0:2), &
        source=(0.0_real64, 0.0_real64))
      allocate (self%psi(w%n_k, w%n_l, 2), self%work(w%n_k, w%n_l, 2))
    end associate
    allocate (self%q, self%u, self%v, self%subgrid, source=0.0_real64*q)
    do m = 1, self%n_member
      do layer = 1, 2
        call self%transform%to_spectrum(q(:, :, layer, m), self%spectrum(:, :, layer, m))
      end do
    end do
  end subroutine create_integration

  pure subroutine check_physics(physics, n, errmsg)
    type(physics_t), intent(in) :: physics
    integer, intent(in) :: n(4)
    character(len=*), intent(inout) :: errmsg

    if (any(n(:2) < 4) .or. any(modulo(n(:2), 2) /= 0) .or. n(3) /= 2 .or. n(4) < 1) then
      write (errmsg, '(4(a, i0))') 'q: expected even numbers of points and two layers, got ', &
        n(1), ' x ', n(2), ' points, layers: ', n(3), ', members: ', n(4)
    else if (.not. min(physics%length_x, physics%length_y, physics%dt) > 0.0_real64) then
      write (errmsg, '(a, 3(es10.3, 1x))') 'length_x, length_y, dt: expected positive numbers, '// &
        'got ', physics%length_x, physics%length_y, physics%dt
    else if (.not. min(physics%deformation_radius, physics%delta) > 0.0_real64) then
      write (errmsg, '(a, 2(es10.3, 1x))') 'deformation_radius, delta: expected positive '// &
        'numbers, got ', physics%deformation_radius, physics%delta
    else if (.not. physics%bottom_drag >= 0.0_real64) then
      write (errmsg, '(a, es10.3)') 'bottom_drag: expected no negative drag, got ', &
        physics%bottom_drag
    end if
  end subroutine check_physics

  !> Let the closure of an archive act, which is one of grids of this spacing. Members are numbered
  !> from 1.
  subroutine couple(self, archive, engine, policy, seed, reproducible, stat, errmsg)
    class(integration_t), intent(inout), target :: self
    character(len=*), intent(in) :: archive, engine, policy
    integer(int64), intent(in) :: seed
    logical, intent(in) :: reproducible
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    character(len=*), parameter :: dims = 'x,y,layer,member'
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
    call self%members%create_grid(self%closure, self%n_member, dims='x,y', &
      sizes=[self%n_x, self%n_y], spacing=[self%physics%length_x/self%n_x, &
      self%physics%length_y/self%n_y], boundary='periodic,periodic', seed=seed, &
      reproducible=reproducible, policy=policy, stat=stat, errmsg=errmsg)
    do field = 1, self%closure%field_count('inputs')
      if (stat /= 0) return
      name = self%closure%field_name('inputs', field)
      select case (name)
      case ('q')
        call self%members%bind('q', self%q, dims, 's-1', stat=stat, errmsg=errmsg)
      case ('u')
        call self%members%bind('u', self%u, dims, 'm s-1', stat=stat, errmsg=errmsg)
      case ('v')
        call self%members%bind('v', self%v, dims, 'm s-1', stat=stat, errmsg=errmsg)
      case default
        stat = 1
        errmsg = trim(name)//': expected an input among q, u and v, which this model has; '// &
          'export the closure with these'
      end select
    end do
    if (stat /= 0) return
    call self%members%bind('q_tendency', self%subgrid, dims, 's-2', stat=stat, errmsg=errmsg)
    self%has_closure = stat == 0
  end subroutine couple

  !> One step; after an error q is what it was.
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

  !> Potential vorticity and velocity of a member on the grid, without the mean flow.
  subroutine set_flow(self, m)
    class(integration_t), intent(inout) :: self
    integer, intent(in) :: m
    integer :: layer

    call self%waves%invert(self%spectrum(:, :, :, m), self%psi)
    do layer = 1, 2
      call self%waves%velocity(self%psi(:, :, layer), self%work(:, :, 1), self%work(:, :, 2))
      call self%transform%to_grid(self%work(:, :, 1), self%u(:, :, layer, m))
      call self%transform%to_grid(self%work(:, :, 2), self%v(:, :, layer, m))
      call self%transform%to_grid(self%spectrum(:, :, layer, m), self%q(:, :, layer, m))
    end do
  end subroutine set_flow

  !> The newest tendency of a member.
  subroutine set_tendency(self, m)
    class(integration_t), intent(inout) :: self
    integer, intent(in) :: m
    real(real64) :: mean_flow(2)
    integer :: layer, newest

    newest = modulo(self%step, 3)
    mean_flow = [self%physics%u1, self%physics%u2]
    call self%waves%invert(self%spectrum(:, :, :, m), self%psi)
    do layer = 1, 2
      associate (q => self%q(:, :, layer, m), u => self%u(:, :, layer, m), &
        v => self%v(:, :, layer, m), made => self%tendency(:, :, layer, m, newest))
        call self%transform%to_spectrum((u + mean_flow(layer))*q, self%work(:, :, 1))
        call self%transform%to_spectrum(v*q, self%work(:, :, 2))
        made = self%waves%tendency(layer, self%psi(:, :, layer), self%work(:, :, 1), &
          self%work(:, :, 2))
        if (.not. self%has_closure) cycle
        call self%transform%to_spectrum(self%subgrid(:, :, layer, m), self%work(:, :, 1))
        made = made + self%work(:, :, 1)
      end associate
    end do
  end subroutine set_tendency

  !> Third-order Adams-Bashforth, begun with lower orders, and then the filter.
  subroutine step_member(self, m)
    class(integration_t), intent(inout) :: self
    integer, intent(in) :: m
    real(real64) :: b(3)
    integer :: layer, slots(3), i

    b = self%physics%dt*weights(:, min(self%step, 2) + 1)
    slots = modulo(self%step - [(i, i=0, 2)], 3)
    do layer = 1, 2
      associate (q => self%spectrum(:, :, layer, m))
        do i = 1, 3
          q = q + b(i)*self%tendency(:, :, layer, m, slots(i))
        end do
        q = self%waves%keep*q
      end associate
    end do
  end subroutine step_member

  !> Potential vorticity on the grid, (x, y, layer, member) [s-1].
  subroutine get_q(self, q)
    class(integration_t), intent(inout) :: self
    real(real64), intent(out) :: q(:, :, :, :)
    integer :: layer, m
    do m = 1, self%n_member
      do layer = 1, 2
        call self%transform%to_grid(self%spectrum(:, :, layer, m), q(:, :, layer, m))
      end do
    end do
  end subroutine get_q

  !> What the guard counted, in one line; blank without a closure.
  function summary(self) result(text)
    class(integration_t), intent(in) :: self
    character(len=4096) :: text
    text = self%members%summary()
  end function summary

  !> Release the closure, the plans and the arrays.
  subroutine free_integration(self)
    class(integration_t), intent(inout) :: self
    call self%members%free()
    call self%closure%free()
    call self%transform%free()
    self%has_closure = .false.
    if (.not. allocated(self%spectrum)) return
    deallocate (self%spectrum, self%tendency, self%psi, self%work)
    deallocate (self%q, self%u, self%v, self%subgrid)
  end subroutine free_integration

end module quasigeostrophic_integration
