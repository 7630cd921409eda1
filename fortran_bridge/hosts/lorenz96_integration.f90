! The Lorenz-96 host without its files: what the program and Python drive alike.
!
! Procedures hand errors back and never end the process. Optional arguments and results of deferred
! length are not used, which f90wrap would not pass on.

module lorenz96_integration
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use hybrid, only: binding_t, closure_t, hybrid_untouched
  use lorenz96_model, only: add_resolved_tendency, own_subgrid_tendency
  implicit none(type, external)
  private
  public :: integration_t

  real(real64), parameter :: weight(4) = [1.0_real64, 2.0_real64, 2.0_real64, 1.0_real64]/6.0_real64
  real(real64), parameter :: offset(4) = [0.0_real64, 0.5_real64, 0.5_real64, 1.0_real64]

  !> All members of an ensemble, on their way. The variable must be a `target`: a closure keeps the
  !> addresses of its arrays. Do not assign it, see `closure_t`.
  type :: integration_t
    integer :: n_k = 0, n_member = 0
    integer :: step = 0                           !< steps done
    real(real64) :: forcing = 20.0_real64         !< F
    real(real64) :: dt = 0.005_real64             !< time step
    real(real64) :: coefficients(4) = 0.0_real64  !< b0 to b3 of the host's own scheme
    real(real64), allocatable :: x(:)             !< (n_k * n_member), k before member
    real(real64), allocatable :: subgrid(:)       !< U of the last stage, like x
    integer, allocatable :: reasons(:)            !< why the guard flagged each x, see `hybrid`
    real(real64), allocatable, private :: x_stage(:), tendency(:), increment(:)
    logical, private :: has_closure = .false.
    type(closure_t), private :: closure
    type(binding_t), private :: columns
  contains
    procedure :: create => create_integration
    procedure :: couple
    procedure :: advance
    procedure :: state_count
    procedure :: state_name
    procedure :: state_units
    procedure :: state_size
    procedure :: state_get
    procedure :: state_set
    procedure :: summary
    procedure :: free => free_integration
  end type integration_t

contains

  !> Begin with `n_member` states of `n_k` variables after `step` steps; `coefficients` are those of
  !> the host's own scheme.
  subroutine create_integration(self, n_k, n_member, x, step, forcing, dt, coefficients, stat, &
                                errmsg)
    class(integration_t), intent(inout) :: self
    integer, intent(in) :: n_k, n_member, step
    real(real64), intent(in) :: x(:), forcing, dt, coefficients(4)
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg

    stat = 1
    errmsg = ''
    if (n_k < 4 .or. n_member < 1 .or. size(x) /= n_k*n_member) then
      write (errmsg, '(3(a, i0))') 'x: expected n_k * n_member values, n_k at least 4 and '// &
        'n_member at least 1, got ', size(x), ' for n_k = ', n_k, ' and n_member = ', n_member
    else if (.not. dt > 0.0_real64) then
      write (errmsg, '(a, es10.3)') 'dt: expected a positive time step, got ', dt
    else
      stat = 0
      call self%free()
      self%n_k = n_k
      self%n_member = n_member
      self%step = step
      self%forcing = forcing
      self%dt = dt
      self%coefficients = coefficients
      self%x = x
      allocate (self%x_stage, self%tendency, self%increment, self%subgrid, source=0.0_real64*x)
      allocate (self%reasons(size(x)), source=ibset(0, hybrid_untouched))
    end if
  end subroutine create_integration

  !> Let the closure of an archive act in place of the host's own scheme. One closure column is one
  !> X_k of one member; columns are numbered from 1, k before member.
  subroutine couple(self, archive, engine, policy, seed, reproducible, stat, errmsg)
    class(integration_t), intent(inout), target :: self
    character(len=*), intent(in) :: archive, engine, policy
    integer(int64), intent(in) :: seed
    logical, intent(in) :: reproducible
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg

    self%has_closure = .false.
    errmsg = ''
    if (.not. allocated(self%x)) then
      stat = 1
      errmsg = 'couple: expected an integration that has begun, got none; call create before'
      return
    end if
    call self%closure%load(archive, engine=engine, stat=stat, errmsg=errmsg)
    if (stat /= 0) return
    call self%columns%create(self%closure, size(self%x), seed=seed, reproducible=reproducible, &
      policy=policy, stat=stat, errmsg=errmsg)
    if (stat /= 0) return
    call self%columns%bind('x', self%x_stage, dims='column', units='1', stat=stat, errmsg=errmsg)
    if (stat /= 0) return
    call self%columns%bind('x_tendency', self%subgrid, dims='column', units='1', stat=stat, &
      errmsg=errmsg)
    self%has_closure = stat == 0
  end subroutine couple

  !> One Runge-Kutta step; the closure sees the same noise and state at all four stages. After an
  !> error x is what it was.
  subroutine advance(self, stat, errmsg)
    class(integration_t), intent(inout) :: self
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    integer :: stage

    stat = 0
    errmsg = ''
    if (.not. allocated(self%x)) then
      stat = 1
      errmsg = 'advance: expected an integration that has begun, got none; call create before'
      return
    end if
    self%increment = 0.0_real64
    self%tendency = 0.0_real64
    do stage = 1, size(weight)
      self%x_stage = self%x + offset(stage)*self%dt*self%tendency
      if (self%has_closure) then
        call self%columns%run(self%step + 1, stat, errmsg)
        if (stat /= 0) return
        call self%columns%reasons(self%reasons, stat, errmsg)
        if (stat /= 0) return
      end if
      associate (b => self%coefficients)
        where (btest(self%reasons, hybrid_untouched))
          self%subgrid = own_subgrid_tendency(b(1), b(2), b(3), b(4), self%x_stage)
        end where
      end associate
      self%tendency = self%subgrid
      call add_resolved_tendency(self%n_k, self%n_member, self%forcing, self%x_stage, self%tendency)
      self%increment = self%increment + weight(stage)*self%tendency
    end do
    if (self%has_closure) call self%columns%commit(stat, errmsg)
    if (stat /= 0) return
    self%x = self%x + self%dt*self%increment
    self%step = self%step + 1
  end subroutine advance

  !> Number of state fields of the closure.
  integer function state_count(self) result(count)
    class(integration_t), intent(in) :: self
    count = 0
    if (self%has_closure) count = self%closure%field_count('state')
  end function state_count

  !> Name of a state field, counted from 1; blank if there is none.
  function state_name(self, i) result(name)
    class(integration_t), intent(in) :: self
    integer, intent(in) :: i
    character(len=256) :: name
    name = self%closure%field_name('state', i)
  end function state_name

  !> Units of a state field; blank if there is no such field.
  function state_units(self, name) result(units)
    class(integration_t), intent(in) :: self
    character(len=*), intent(in) :: name
    character(len=256) :: units
    units = self%closure%field_units(name)
  end function state_units

  !> Elements a column of a state field; -1 if there is no such field.
  integer function state_size(self, name) result(elements)
    class(integration_t), intent(in) :: self
    character(len=*), intent(in) :: name
    elements = self%closure%field_size(name)
  end function state_size

  !> Committed state of a field as values(element, column).
  subroutine state_get(self, name, values, stat, errmsg)
    class(integration_t), intent(in) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(inout), contiguous :: values(:, :)
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%columns%state_get(name, values, stat, errmsg)
  end subroutine state_get

  !> Replace the committed state of a field by values(element, column).
  subroutine state_set(self, name, values, stat, errmsg)
    class(integration_t), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(in), contiguous :: values(:, :)
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%columns%state_set(name, values, stat, errmsg)
  end subroutine state_set

  !> What the guard counted, in one line; blank without a closure.
  function summary(self) result(text)
    class(integration_t), intent(in) :: self
    character(len=4096) :: text
    text = self%columns%summary()
  end function summary

  !> Release the closure and the arrays.
  subroutine free_integration(self)
    class(integration_t), intent(inout) :: self
    call self%columns%free()
    call self%closure%free()
    self%has_closure = .false.
    if (.not. allocated(self%x)) return
    deallocate (self%x, self%x_stage, self%tendency, self%increment, self%subgrid, self%reasons)
  end subroutine free_integration

end module lorenz96_integration
