!> Call a compiled closure from a Fortran model.
!>
!> One source file without dependencies: compile it with the host's own compiler and link
!> libhybrid. A `closure_t` is immutable after `load` and may be shared by all threads; a
!> `binding_t` ties it to the arrays of one thread or chunk.
!>
!> Every procedure has optional `stat` and `errmsg`. Without `stat`, an error is `error stop` with
!> the message; with it, `stat` is 0 or one of the codes in hybrid.h and the model goes on. `errmsg`
!> is a variable of fixed length, cut or filled with blanks, not a deferred-length allocatable.
module hybrid
  use, intrinsic :: iso_c_binding, only: c_associated, c_char, c_double, c_f_pointer, c_int, &
    c_int64_t, c_intptr_t, c_loc, c_null_char, c_null_ptr, c_ptr, &
    c_signed_char, c_size_t
  use, intrinsic :: iso_fortran_env, only: int64, real32, real64, real128
  implicit none
  private

  public :: binding_t, closure_t

  !> A loaded archive. Assignment shares it, `source=` must not be used; the last copy frees it.
  type :: closure_t
    private
    type(c_ptr) :: handle = c_null_ptr
  contains
    procedure :: load => closure_load
    procedure :: manifest => closure_manifest
    procedure :: free => closure_free
    procedure, private :: closure_assign
    generic :: assignment(=) => closure_assign
    final :: closure_finalize
  end type closure_t

  !> The arrays of one caller. Assignment shares it; the last copy to go releases it.
  type :: binding_t
    private
    type(c_ptr) :: handle = c_null_ptr
  contains
    procedure :: create => binding_create
    procedure, private :: bind_real32
    procedure, private :: bind_real64
    generic :: bind => bind_real32, bind_real64
#ifndef HYBRID_NO_REAL128
    procedure, private :: bind_real128
    generic :: bind => bind_real128
#endif
    procedure :: run => binding_run
    procedure :: commit => binding_commit
    procedure :: mask => binding_mask
    procedure :: state_get => binding_state_get
    procedure :: state_set => binding_state_set
    procedure :: free => binding_free
    procedure, private :: bind_place
    procedure, private :: binding_assign
    generic :: assignment(=) => binding_assign
    final :: binding_finalize
  end type binding_t

  integer, parameter :: most_dims = 3

  !> How an array lies in memory; strides in bytes.
  type :: place_t
    type(c_ptr) :: address = c_null_ptr
    integer(c_int) :: kind = 0
    integer :: rank = 0
    integer(c_int64_t) :: shape(most_dims) = 0, stride(most_dims) = 0
  end type place_t

  integer(c_int), parameter :: status_shape = 6  ! HYBRID_ERROR_SHAPE

  interface
    integer(c_int) function hybrid_closure_load(path, engine, device, n_thread, closure) bind(c)
      import :: c_char, c_int, c_ptr
      character(kind=c_char), intent(in) :: path(*), engine(*), device(*)
      integer(c_int), value, intent(in) :: n_thread
      type(c_ptr), intent(out) :: closure
    end function hybrid_closure_load
    integer(c_int) function hybrid_closure_retain(closure) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value, intent(in) :: closure
    end function hybrid_closure_retain
    subroutine hybrid_closure_free(closure) bind(c)
      import :: c_ptr
      type(c_ptr), value, intent(in) :: closure
    end subroutine hybrid_closure_free
    type(c_ptr) function hybrid_closure_manifest(closure) bind(c)
      import :: c_ptr
      type(c_ptr), value, intent(in) :: closure
    end function hybrid_closure_manifest
    integer(c_int) function hybrid_binding_create(closure, n_column, column_id, seed, &
                                                  reproducible, policy, binding) bind(c)
      import :: c_char, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: closure, column_id
      integer(c_int64_t), value, intent(in) :: n_column, seed
      integer(c_int), value, intent(in) :: reproducible
      character(kind=c_char), intent(in) :: policy(*)
      type(c_ptr), intent(out) :: binding
    end function hybrid_binding_create
    integer(c_int) function hybrid_binding_retain(binding) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value, intent(in) :: binding
    end function hybrid_binding_retain
    subroutine hybrid_binding_free(binding) bind(c)
      import :: c_ptr
      type(c_ptr), value, intent(in) :: binding
    end subroutine hybrid_binding_free
    integer(c_int) function hybrid_binding_bind(binding, name, address, kind, rank, shape, &
                                                stride, dims, units, accumulate) bind(c)
      import :: c_char, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding, address
      character(kind=c_char), intent(in) :: name(*), dims(*), units(*)
      integer(c_int), value, intent(in) :: kind, rank, accumulate
      integer(c_int64_t), intent(in) :: shape(*), stride(*)
    end function hybrid_binding_bind
    integer(c_int) function hybrid_binding_run(binding, step) bind(c)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding
      integer(c_int64_t), value, intent(in) :: step
    end function hybrid_binding_run
    integer(c_int) function hybrid_binding_commit(binding) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value, intent(in) :: binding
    end function hybrid_binding_commit
    integer(c_int) function hybrid_binding_mask(binding, mask, n) bind(c)
      import :: c_int, c_int64_t, c_ptr, c_signed_char
      type(c_ptr), value, intent(in) :: binding
      integer(c_signed_char), intent(out) :: mask(*)
      integer(c_int64_t), value, intent(in) :: n
    end function hybrid_binding_mask
    integer(c_int) function hybrid_binding_state_get(binding, name, values, n) bind(c)
      import :: c_char, c_double, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), intent(out) :: values(*)
      integer(c_int64_t), value, intent(in) :: n
    end function hybrid_binding_state_get
    integer(c_int) function hybrid_binding_state_set(binding, name, values, n) bind(c)
      import :: c_char, c_double, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), intent(in) :: values(*)
      integer(c_int64_t), value, intent(in) :: n
    end function hybrid_binding_state_set
    type(c_ptr) function hybrid_last_error() bind(c)
      import :: c_ptr
    end function hybrid_last_error
    integer(c_size_t) function strlen(text) bind(c)
      import :: c_ptr, c_size_t
      type(c_ptr), value, intent(in) :: text
    end function strlen
  end interface

contains

  !> Load an archive; `engine` is 'auto' (default) or the name of one.
  subroutine closure_load(self, path, engine, stat, errmsg)
    class(closure_t), intent(inout) :: self
    character(len=*), intent(in) :: path
    character(len=*), intent(in), optional :: engine
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    character(len=:), allocatable :: engine_name
    engine_name = 'auto'
    if (present(engine)) engine_name = trim(engine)
    call self%free()
    call report(hybrid_closure_load(c_string(path), c_string(engine_name), c_string('cpu'), &
                                    1_c_int, self%handle), &
                stat, errmsg)
  end subroutine closure_load

  !> The closure's specification as JSON text; empty before `load`.
  function closure_manifest(self) result(text)
    class(closure_t), intent(in) :: self
    character(len=:), allocatable :: text
    text = f_string(hybrid_closure_manifest(self%handle))
  end function closure_manifest

  !> Release the closure; bindings made from it go on working.
  subroutine closure_free(self)
    class(closure_t), intent(inout) :: self
    call hybrid_closure_free(self%handle)
    self%handle = c_null_ptr
  end subroutine closure_free

  impure elemental subroutine closure_finalize(self)
    type(closure_t), intent(inout) :: self
    call self%free()
  end subroutine closure_finalize

  impure elemental subroutine closure_assign(left, right)
    class(closure_t), intent(inout) :: left
    type(closure_t), intent(in) :: right
    type(c_ptr) :: shared
    integer(c_int) :: status
    shared = right%handle
    if (c_associated(shared)) status = hybrid_closure_retain(shared)
    call left%free()
    left%handle = shared
  end subroutine closure_assign

  !> Prepare for `n_column` columns.
  !>
  !> `column_id`: global numbers that key the random numbers (default 1, 2, ...); `seed`: default 0;
  !> `reproducible` (default true): results do not depend on the number of neighbours; `policy`:
  !> 'error' (default) or 'host', see hybrid.h.
  subroutine binding_create(self, closure, n_column, column_id, seed, reproducible, policy, &
                            stat, errmsg)
    class(binding_t), intent(inout) :: self
    type(closure_t), intent(in) :: closure
    integer, intent(in) :: n_column
    integer(int64), intent(in), contiguous, optional, target :: column_id(:)
    integer(int64), intent(in), optional :: seed
    logical, intent(in), optional :: reproducible
    character(len=*), intent(in), optional :: policy
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    character(len=:), allocatable :: policy_name
    integer(c_int) :: status
    integer(c_int64_t) :: seed_value
    type(c_ptr) :: ids
    ids = c_null_ptr
    if (present(column_id)) then
      if (size(column_id) /= n_column) then
        call fail('column_id: expected one number for each column', status_shape, stat, errmsg)
        return
      end if
      if (n_column > 0) ids = c_loc(column_id)
    end if
    seed_value = 0
    if (present(seed)) seed_value = seed
    policy_name = 'error'
    if (present(policy)) policy_name = trim(policy)
    call self%free()
    status = hybrid_binding_create(closure%handle, int(n_column, c_int64_t), ids, seed_value, &
                                   flag(reproducible, default=.true.), &
                                   c_string(policy_name), self%handle)
    call report(status, stat, errmsg)
  end subroutine binding_create

  !> Tie an array to a field. `dims` names its axes in the order of the subscripts, for example
  !> 'column,level' or 'level,column'; `units` are those of its values; `accumulate` adds outputs
  !> to it instead of replacing its values.
  !>
  !> The address is kept, so the array must be a `target` that outlives the binding, or a pointer;
  !> after it was reallocated, create the binding anew. The compiler refuses anything else, such
  !> as an expression: there is no matching specific procedure.
  subroutine bind_real32(self, name, array, dims, units, accumulate, stat, errmsg)
    class(binding_t), intent(inout) :: self
    character(len=*), intent(in) :: name, dims, units
    real(real32), pointer, intent(in) :: array(..)
    logical, intent(in), optional :: accumulate
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(place_t) :: place
    place%rank = rank(array)
    select rank (array)
    rank (1)
      if (associated(array)) place = place_1(array)
    rank (2)
      if (associated(array)) place = place_2(array)
    rank (3)
      if (associated(array)) place = place_3(array)
    end select
    place%kind = 4
    call self%bind_place(name, place, dims, units, accumulate, stat, errmsg)
  end subroutine bind_real32

  subroutine bind_real64(self, name, array, dims, units, accumulate, stat, errmsg)
    class(binding_t), intent(inout) :: self
    character(len=*), intent(in) :: name, dims, units
    real(real64), pointer, intent(in) :: array(..)
    logical, intent(in), optional :: accumulate
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(place_t) :: place
    place%rank = rank(array)
    select rank (array)
    rank (1)
      if (associated(array)) place = place_1(array)
    rank (2)
      if (associated(array)) place = place_2(array)
    rank (3)
      if (associated(array)) place = place_3(array)
    end select
    place%kind = 8
    call self%bind_place(name, place, dims, units, accumulate, stat, errmsg)
  end subroutine bind_real64

#ifndef HYBRID_NO_REAL128
  !> Always an error, at run time, with a message that says what to do.
  subroutine bind_real128(self, name, array, dims, units, accumulate, stat, errmsg)
    class(binding_t), intent(inout) :: self
    character(len=*), intent(in) :: name, dims, units
    real(real128), pointer, intent(in) :: array(..)
    logical, intent(in), optional :: accumulate
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call self%bind_place(name, place_t(kind=16, rank=rank(array)), dims, units, accumulate, &
                         stat, errmsg)
  end subroutine bind_real128
#endif

  subroutine bind_place(self, name, place, dims, units, accumulate, stat, errmsg)
    class(binding_t), intent(inout) :: self
    character(len=*), intent(in) :: name, dims, units
    type(place_t), intent(in) :: place
    logical, intent(in), optional :: accumulate
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    if (place%rank > most_dims) then
      call fail(trim(name)//': expected rank 3 or less', status_shape, stat, errmsg)
      return
    end if
    call report(hybrid_binding_bind(self%handle, c_string(name), place%address, place%kind, &
                                    int(place%rank, c_int), place%shape, place%stride, &
                                    c_string(dims), c_string(units), &
                                    flag(accumulate, default=.false.)), stat, errmsg)
  end subroutine bind_place

  !> Neighbouring elements tell the strides of whatever section was passed: no copy is made.
  function place_1(array) result(place)
    class(*), intent(in), target :: array(:)
    type(place_t) :: place
    place%rank = 1
    place%shape(:1) = shape(array)
    if (size(array) == 0) return
    place%address = address_of(array(1))
    if (size(array, 1) > 1) place%stride(1) = bytes(place, array(2))
  end function place_1

  function place_2(array) result(place)
    class(*), intent(in), target :: array(:, :)
    type(place_t) :: place
    place%rank = 2
    place%shape(:2) = shape(array)
    if (size(array) == 0) return
    place%address = address_of(array(1, 1))
    if (size(array, 1) > 1) place%stride(1) = bytes(place, array(2, 1))
    if (size(array, 2) > 1) place%stride(2) = bytes(place, array(1, 2))
  end function place_2

  function place_3(array) result(place)
    class(*), intent(in), target :: array(:, :, :)
    type(place_t) :: place
    place%rank = 3
    place%shape(:3) = shape(array)
    if (size(array) == 0) return
    place%address = address_of(array(1, 1, 1))
    if (size(array, 1) > 1) place%stride(1) = bytes(place, array(2, 1, 1))
    if (size(array, 2) > 1) place%stride(2) = bytes(place, array(1, 2, 1))
    if (size(array, 3) > 1) place%stride(3) = bytes(place, array(1, 1, 2))
  end function place_3

  type(c_ptr) function address_of(element)
    class(*), intent(in), target :: element
    address_of = c_null_ptr
    select type (element)
    type is (real(real32))
      address_of = c_loc(element)
    type is (real(real64))
      address_of = c_loc(element)
    end select
  end function address_of

  !> Distance of an element from the first one.
  integer(c_int64_t) function bytes(place, element)
    type(place_t), intent(in) :: place
    class(*), intent(in), target :: element
    bytes = transfer(address_of(element), 0_c_intptr_t) - transfer(place%address, 0_c_intptr_t)
  end function bytes

  !> Evaluate the closure for model step `step`; may be called several times a step.
  subroutine binding_run(self, step, stat, errmsg)
    class(binding_t), intent(inout) :: self
    integer, intent(in) :: step
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call report(hybrid_binding_run(self%handle, int(step, c_int64_t)), stat, errmsg)
  end subroutine binding_run

  !> Make the state computed by the last run the current one; once a model step.
  subroutine binding_commit(self, stat, errmsg)
    class(binding_t), intent(inout) :: self
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call report(hybrid_binding_commit(self%handle), stat, errmsg)
  end subroutine binding_commit

  !> True where the last run left a column to the host (policy 'host').
  subroutine binding_mask(self, mask, stat, errmsg)
    class(binding_t), intent(in) :: self
    logical, intent(out) :: mask(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_signed_char), allocatable :: bytes(:)
    integer(c_int) :: status
    allocate (bytes(size(mask)), source=0_c_signed_char)
    status = hybrid_binding_mask(self%handle, bytes, size(mask, kind=c_int64_t))
    mask = bytes /= 0
    call report(status, stat, errmsg)
  end subroutine binding_mask

  !> Committed state of a field, column by column.
  subroutine binding_state_get(self, name, values, stat, errmsg)
    class(binding_t), intent(in) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(out), contiguous :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call report(hybrid_binding_state_get(self%handle, c_string(name), values, &
                                         size(values, kind=c_int64_t)), stat, errmsg)
  end subroutine binding_state_get

  !> Replace the committed state of a field, column by column.
  subroutine binding_state_set(self, name, values, stat, errmsg)
    class(binding_t), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(in), contiguous :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call report(hybrid_binding_state_set(self%handle, c_string(name), values, &
                                         size(values, kind=c_int64_t)), stat, errmsg)
  end subroutine binding_state_set

  !> Release the binding; its arrays may go afterwards.
  subroutine binding_free(self)
    class(binding_t), intent(inout) :: self
    call hybrid_binding_free(self%handle)
    self%handle = c_null_ptr
  end subroutine binding_free

  impure elemental subroutine binding_finalize(self)
    type(binding_t), intent(inout) :: self
    call self%free()
  end subroutine binding_finalize

  impure elemental subroutine binding_assign(left, right)
    class(binding_t), intent(inout) :: left
    type(binding_t), intent(in) :: right
    type(c_ptr) :: shared
    integer(c_int) :: status
    shared = right%handle
    if (c_associated(shared)) status = hybrid_binding_retain(shared)
    call left%free()
    left%handle = shared
  end subroutine binding_assign

  pure integer(c_int) function flag(option, default)
    logical, intent(in), optional :: option
    logical, intent(in) :: default
    logical :: chosen
    chosen = default
    if (present(option)) chosen = option
    flag = merge(1_c_int, 0_c_int, chosen)
  end function flag

  !> Hand a status to the caller, or stop with the message where none is wanted.
  subroutine report(status, stat, errmsg)
    integer(c_int), intent(in) :: status
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    if (status /= 0) then
      call fail(f_string(hybrid_last_error()), status, stat, errmsg)
    else if (present(stat)) then
      stat = 0
    end if
  end subroutine report

  subroutine fail(message, status, stat, errmsg)
    character(len=*), intent(in) :: message
    integer(c_int), intent(in) :: status
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    if (present(errmsg)) errmsg = message
    if (.not. present(stat)) error stop message
    stat = int(status)
  end subroutine fail

  pure function c_string(text) result(chars)
    character(len=*), intent(in) :: text
    character(kind=c_char) :: chars(len_trim(text) + 1)
    integer :: i
    do i = 1, len_trim(text)
      chars(i) = text(i:i)
    end do
    chars(len_trim(text) + 1) = c_null_char
  end function c_string

  function f_string(address) result(text)
    type(c_ptr), intent(in) :: address
    character(len=:), allocatable :: text
    character(kind=c_char), pointer :: chars(:)
    integer :: i
    text = ''
    if (.not. c_associated(address)) return
    call c_f_pointer(address, chars, [strlen(address)])
    text = repeat(' ', size(chars))
    do i = 1, size(chars)
      text(i:i) = chars(i)
    end do
  end function f_string

end module hybrid
