! The ClimSim column host without its files: what the program and Python drive alike.
!
! Procedures hand errors back and never end the process.

module climsim_columns
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use climsim_fields, only: field_t, find_input, find_output, name_length
  use hybrid, only: binding_t, closure_t
  implicit none(type, external)
  private
  public :: columns_t

  !> n_column columns of n_level levels; index 1 of a level is the model top. The variable must be a
  !> `target`: the closure keeps the addresses of its arrays. Do not assign it, see `closure_t`.
  !>
  !> `place` says where a field stands in the arrays. A profile takes one feature a level; an
  !> output of an ensemble takes as many for each member, one member after the other.
  type :: columns_t
    integer :: n_column = 0, n_level = 0
    integer :: first_column = 1           !< global number of the first column
    integer(int64) :: seed = 0            !< of the random numbers
    logical :: reproducible = .true.      !< results do not depend on the number of columns
    character(len=8), private :: policy = 'error'  !< towards flagged columns
    character(len=16), private :: engine = 'auto'  !< which `load` asks for
    real(real64), allocatable :: input(:, :)   !< inputs, (column, feature), units of the files
    real(real64), allocatable :: output(:, :)  !< closure outputs, (column, feature), SI
    type(closure_t), private :: closure
    type(binding_t), private :: binding
  contains
    procedure :: load
    procedure :: resize
    procedure :: set_policy
    procedure :: set_engine
    procedure :: advance
    procedure :: reasons
    procedure :: forget
    procedure :: has_memory
    procedure :: field_count
    procedure :: field_name
    procedure :: place
    procedure :: free => free_columns
    procedure, private :: bind_input
    procedure, private :: bind_output
    procedure, private :: n_feature
  end type columns_t

contains

  !> Load a closure whose inputs and outputs are fields of `climsim_fields`.
  subroutine load(self, archive, stat, errmsg)
    class(columns_t), intent(inout) :: self
    character(len=*), intent(in) :: archive
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    type(field_t) :: field
    integer :: i
    errmsg = ''
    call self%closure%load(archive, engine=trim(self%engine), stat=stat, errmsg=errmsg)
    if (stat /= 0) return
    do i = 1, self%field_count('inputs')
      call find_input(self%field_name('inputs', i), field, errmsg)
      if (errmsg /= '') exit
    end do
    do i = 1, self%field_count('outputs')
      if (errmsg /= '') exit
      call find_output(self%field_name('outputs', i), field, errmsg)
    end do
    if (errmsg == '') return
    stat = 1
    errmsg = archive//': '//errmsg
    call self%closure%free()
  end subroutine load

  !> Have arrays of another size, all zero, bound to the closure, whose memory starts at zero.
  !>
  !> There may be no columns: a rank with no share of them runs along.
  subroutine resize(self, n_column, n_level, stat, errmsg)
    class(columns_t), intent(inout), target :: self
    integer, intent(in) :: n_column, n_level
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    integer :: i
    stat = 1
    errmsg = ''
    if (n_column < 0 .or. n_level < 1) then
      write (errmsg, '(2(a, i0))') 'resize: expected no less than 0 columns and 1 level, got ', &
        n_column, ' and ', n_level
      return
    end if
    call self%binding%free()
    if (allocated(self%input)) deallocate (self%input, self%output)
    self%n_column = n_column
    self%n_level = n_level
    allocate (self%input(n_column, self%n_feature('inputs')), source=0.0_real64)
    allocate (self%output(n_column, self%n_feature('outputs')), source=0.0_real64)
    call self%binding%create(self%closure, n_column, policy=trim(self%policy), seed=self%seed, &
      reproducible=self%reproducible, stat=stat, errmsg=errmsg, &
      column_id=[(int(self%first_column + i - 1, int64), i=1, n_column)])
    do i = 1, self%field_count('inputs')
      if (stat == 0) call self%bind_input(self%field_name('inputs', i), stat, errmsg)
    end do
    do i = 1, self%field_count('outputs')
      if (stat == 0) call self%bind_output(self%field_name('outputs', i), stat, errmsg)
    end do
  end subroutine resize

  !> Say, before `resize`, what becomes of columns that the guard flags: 'error', 'flag', 'clip',
  !> 'zero', or 'host', which leaves in `output` what the host has put there.
  subroutine set_policy(self, policy)
    class(columns_t), intent(inout) :: self
    character(len=*), intent(in) :: policy
    self%policy = policy
  end subroutine set_policy

  !> Which engine `load` asks for; 'auto' if none is set.
  subroutine set_engine(self, engine)
    class(columns_t), intent(inout) :: self
    character(len=*), intent(in) :: engine
    self%engine = engine
  end subroutine set_engine

  !> Why the guard flagged each column of the last step, see `reasons` of `binding_t`.
  subroutine reasons(self, found, stat, errmsg)
    class(columns_t), intent(in) :: self
    integer, intent(inout) :: found(:)
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%binding%reasons(found, stat, errmsg)
  end subroutine reasons

  !> Let the closure write its outputs for model step `step`.
  subroutine advance(self, step, stat, errmsg)
    class(columns_t), intent(inout) :: self
    integer, intent(in) :: step
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%binding%run(step, stat, errmsg)
    if (stat == 0) call self%binding%commit(stat, errmsg)
  end subroutine advance

  !> Whether the closure carries memory from step to step.
  logical function has_memory(self)
    class(columns_t), intent(in) :: self
    has_memory = self%closure%field_count('state') > 0
  end function has_memory

  !> Set the closure's memory to zero.
  subroutine forget(self, stat, errmsg)
    class(columns_t), intent(inout) :: self
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    real(real64), allocatable :: zeros(:)
    integer :: i
    stat = 0
    errmsg = ''
    do i = 1, self%field_count('state')
      if (allocated(zeros)) deallocate (zeros)
      allocate (zeros(self%n_column*self%closure%field_size(trim(self%field_name('state', i)))), &
        source=0.0_real64)
      call self%binding%state_set(trim(self%field_name('state', i)), zeros, stat, errmsg)
      if (stat /= 0) return
    end do
  end subroutine forget

  !> Number of fields of 'inputs', 'outputs' or 'state'.
  integer function field_count(self, group)
    class(columns_t), intent(in) :: self
    character(len=*), intent(in) :: group
    field_count = self%closure%field_count(group)
  end function field_count

  !> Name of a field of a group, counted from 1.
  function field_name(self, group, i) result(name)
    class(columns_t), intent(in) :: self
    character(len=*), intent(in) :: group
    integer, intent(in) :: i
    character(len=name_length) :: name
    name = self%closure%field_name(group, i)
  end function field_name

  !> First and last feature of a field in `input` or `output`; 0 and 0 if there is no such field.
  subroutine place(self, group, name, first, last)
    class(columns_t), intent(in) :: self
    character(len=*), intent(in) :: group, name
    integer, intent(out) :: first, last
    integer :: i
    last = 0
    do i = 1, self%field_count(group)
      first = last + 1
      last = last + self%closure%field_size(trim(self%field_name(group, i)))
      if (self%field_name(group, i) == name) return
    end do
    first = 0
    last = 0
  end subroutine place

  !> Release the closure and what is bound to it.
  subroutine free_columns(self)
    class(columns_t), intent(inout) :: self
    call self%binding%free()
    call self%closure%free()
  end subroutine free_columns

  subroutine bind_input(self, name, stat, errmsg)
    class(columns_t), intent(inout), target :: self
    character(len=name_length), intent(in) :: name
    integer, intent(out) :: stat
    character(len=1024), intent(inout) :: errmsg
    type(field_t) :: field
    integer :: first, last
    call find_input(name, field, errmsg)
    call self%place('inputs', name, first, last)
    if (field%is_profile .and. last - first + 1 /= self%n_level) then
      call refuse_levels(name, last - first + 1, self%n_level, stat, errmsg)
    else if (field%is_profile) then
      call self%binding%bind(trim(name), self%input(:, first:last), dims='column,level', &
        units=trim(field%units), stat=stat, errmsg=errmsg)
    else
      call self%binding%bind(trim(name), self%input(:, first), dims='column', &
        units=trim(field%units), stat=stat, errmsg=errmsg)
    end if
  end subroutine bind_input

  subroutine bind_output(self, name, stat, errmsg)
    class(columns_t), intent(inout), target :: self
    character(len=name_length), intent(in) :: name
    integer, intent(out) :: stat
    character(len=1024), intent(inout) :: errmsg
    real(real64), pointer, contiguous :: members(:, :, :)
    type(field_t) :: field
    integer :: first, last, n_member
    call find_output(name, field, errmsg)
    call self%place('outputs', name, first, last)
    n_member = (last - first + 1)/merge(self%n_level, 1, field%is_profile)
    if (field%is_profile .and. n_member*self%n_level /= last - first + 1) then
      call refuse_levels(name, last - first + 1, self%n_level, stat, errmsg)
    else if (field%is_profile .and. n_member > 1) then
      members(1:self%n_column, 1:self%n_level, 1:n_member) => self%output(:, first:last)
      call self%binding%bind(trim(name), members, dims='column,level,realization', &
        units=trim(field%units), stat=stat, errmsg=errmsg)
    else if (field%is_profile) then
      call self%binding%bind(trim(name), self%output(:, first:last), dims='column,level', &
        units=trim(field%units), stat=stat, errmsg=errmsg)
    else if (n_member > 1) then
      call self%binding%bind(trim(name), self%output(:, first:last), dims='column,realization', &
        units=trim(field%units), stat=stat, errmsg=errmsg)
    else
      call self%binding%bind(trim(name), self%output(:, first), dims='column', &
        units=trim(field%units), stat=stat, errmsg=errmsg)
    end if
  end subroutine bind_output

  subroutine refuse_levels(name, expected, got, stat, errmsg)
    character(len=*), intent(in) :: name
    integer, intent(in) :: expected, got
    integer, intent(out) :: stat
    character(len=*), intent(inout) :: errmsg
    stat = 1
    write (errmsg, '(2a, 2(i0, a))') trim(name), ': expected ', expected, &
      ' levels, as the closure has, got ', got, &
      '; regrid the columns or export the closure for their levels'
  end subroutine refuse_levels

  integer function n_feature(self, group)
    class(columns_t), intent(in) :: self
    character(len=*), intent(in) :: group
    integer :: i
    n_feature = 0
    do i = 1, self%field_count(group)
      n_feature = n_feature + self%closure%field_size(trim(self%field_name(group, i)))
    end do
  end function n_feature

end module climsim_columns
