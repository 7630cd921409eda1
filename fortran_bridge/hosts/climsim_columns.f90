! The ClimSim column host without its files: what the program and Python drive alike.
!
! Procedures hand errors back and never end the process.

module climsim_columns
  use, intrinsic :: iso_fortran_env, only: real64
  use climsim_fields, only: flux_field, n_flux, n_scalar, scalar_field, scalar_units
  use hybrid, only: binding_t, closure_t
  implicit none(type, external)
  private
  public :: columns_t

  !> n_column columns of n_level levels; index 1 of a level is the model top. The variable must be a
  !> `target`: the closure keeps the addresses of its arrays. Do not assign it, see `closure_t`.
  type :: columns_t
    integer :: n_column = 0, n_level = 0
    real(real64), allocatable :: t(:, :)                  !< air temperature [K]
    real(real64), allocatable :: q0001(:, :)              !< specific humidity [kg kg-1]
    real(real64), allocatable :: ps(:)                    !< surface pressure [Pa]
    real(real64), allocatable :: flux(:, :)               !< scalar inputs, (column, flux)
    real(real64), allocatable :: t_tendency(:, :)         !< closure output [K s-1]
    real(real64), allocatable :: q0001_tendency(:, :)     !< closure output [kg kg-1 s-1]
    real(real64), allocatable :: scalar(:, :)             !< closure output, (column, scalar)
    type(closure_t), private :: closure
    type(binding_t), private :: binding
  contains
    procedure :: load
    procedure :: resize
    procedure :: advance
    procedure :: free => free_columns
    procedure, private :: allocate_arrays
    procedure, private :: bind_arrays
  end type columns_t

contains

  !> Load the closure: it reads state_t, state_q0001, state_ps and the scalar inputs, and writes
  !> ptend_t, ptend_q0001 and the scalar outputs of `climsim_fields`.
  subroutine load(self, archive, stat, errmsg)
    class(columns_t), intent(inout) :: self
    character(len=*), intent(in) :: archive
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%closure%load(archive, stat=stat, errmsg=errmsg)
  end subroutine load

  !> Have arrays of another size, all zero, bound to the closure.
  subroutine resize(self, n_column, n_level, stat, errmsg)
    class(columns_t), intent(inout), target :: self
    integer, intent(in) :: n_column, n_level
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    stat = 1
    errmsg = ''
    if (n_column < 1 .or. n_level < 1) then
      write (errmsg, '(2(a, i0))') 'resize: expected at least one column and one level, got ', &
        n_column, ' and ', n_level
      return
    end if
    call self%binding%free()
    call self%allocate_arrays(n_column, n_level)
    call self%binding%create(self%closure, n_column, policy='error', stat=stat, errmsg=errmsg)
    if (stat == 0) call self%bind_arrays(stat, errmsg)
  end subroutine resize

  !> Let the closure write its tendencies and scalars for model step `step`.
  subroutine advance(self, step, stat, errmsg)
    class(columns_t), intent(inout) :: self
    integer, intent(in) :: step
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%binding%run(step, stat, errmsg)
    if (stat == 0) call self%binding%commit(stat, errmsg)
  end subroutine advance

  !> Release the closure and what is bound to it.
  subroutine free_columns(self)
    class(columns_t), intent(inout) :: self
    call self%binding%free()
    call self%closure%free()
  end subroutine free_columns

  subroutine allocate_arrays(self, n_column, n_level)
    class(columns_t), intent(inout) :: self
    integer, intent(in) :: n_column, n_level
    real(real64), parameter :: zero = 0.0_real64
    if (allocated(self%t)) then
      deallocate (self%t, self%q0001, self%ps, self%flux)
      deallocate (self%t_tendency, self%q0001_tendency, self%scalar)
    end if
    self%n_column = n_column
    self%n_level = n_level
    allocate (self%t(n_column, n_level), self%q0001(n_column, n_level), source=zero)
    allocate (self%t_tendency, self%q0001_tendency, source=self%t)
    allocate (self%ps(n_column), source=zero)
    allocate (self%flux(n_column, n_flux), source=zero)
    allocate (self%scalar(n_column, n_scalar), source=zero)
  end subroutine allocate_arrays

  subroutine bind_arrays(self, stat, errmsg)
    class(columns_t), intent(inout), target :: self
    integer, intent(out) :: stat
    character(len=1024), intent(inout) :: errmsg
    integer :: i
    call self%binding%bind('state_t', self%t, dims='column,level', units='K', stat=stat, &
      errmsg=errmsg)
    if (stat /= 0) return
    call self%binding%bind('state_q0001', self%q0001, dims='column,level', units='kg kg-1', &
      stat=stat, errmsg=errmsg)
    if (stat /= 0) return
    call self%binding%bind('state_ps', self%ps, dims='column', units='Pa', stat=stat, errmsg=errmsg)
    if (stat /= 0) return
    do i = 1, n_flux
      call self%binding%bind(trim(flux_field(i)), self%flux(:, i), dims='column', units='W m-2', &
        stat=stat, errmsg=errmsg)
      if (stat /= 0) return
    end do
    call self%binding%bind('ptend_t', self%t_tendency, dims='column,level', units='K s-1', &
      stat=stat, errmsg=errmsg)
    if (stat /= 0) return
    call self%binding%bind('ptend_q0001', self%q0001_tendency, dims='column,level', &
      units='kg kg-1 s-1', stat=stat, errmsg=errmsg)
    if (stat /= 0) return
    do i = 1, n_scalar
      call self%binding%bind(trim(scalar_field(i)), self%scalar(:, i), dims='column', &
        units=trim(scalar_units(i)), stat=stat, errmsg=errmsg)
      if (stat /= 0) return
    end do
  end subroutine bind_arrays

end module climsim_columns
