!> A closure tied to the columns of one caller.
module hybrid_binding
  use, intrinsic :: iso_c_binding, only: c_associated, c_char, c_double, c_int, c_int64_t, c_loc, &
    c_null_char, c_null_ptr, c_ptr, c_signed_char
  use, intrinsic :: iso_fortran_env, only: int64, real32, real64
#ifndef HYBRID_NO_REAL128
  use, intrinsic :: iso_fortran_env, only: real128
#endif
  use hybrid_arrays, only: most_rank, place_of, place_t, unknown_extent
  use hybrid_c_abi, only: hybrid_binding_apply, hybrid_binding_bind, hybrid_binding_chunk, &
    hybrid_binding_commit, hybrid_binding_counts, hybrid_binding_create, &
    hybrid_binding_create_grid, hybrid_binding_differences, hybrid_binding_free, &
    hybrid_binding_get, hybrid_binding_mask, hybrid_binding_partial, hybrid_binding_put, &
    hybrid_binding_ramp, hybrid_binding_retain, hybrid_binding_run, hybrid_binding_state_get, &
    hybrid_binding_state_set, hybrid_binding_summary, hybrid_binding_threshold, &
    hybrid_binding_timers, hybrid_error_argument, hybrid_error_shape, hybrid_reasons
  use hybrid_closure, only: closure_t, handle_of
  use hybrid_text, only: c_string, as_text, f_string, fail, given, report, text_length
  implicit none
  private

  public :: binding_t

  !> The columns of one thread or chunk, used by one thread at a time.
  !>
  !> Assignment shares it; the last copy to be freed or to go out of scope releases it. As with
  !> `closure_t`, do not use `allocate (copy, source=binding)`.
  type :: binding_t
    private
    type(c_ptr) :: handle = c_null_ptr
    integer :: n_column = 0
  contains
    procedure :: create => binding_create
    procedure :: create_grid => binding_create_grid
    procedure :: run => binding_run
    procedure :: apply => binding_apply
    procedure :: chunk => binding_chunk
    procedure :: commit => binding_commit
    procedure :: mask => binding_mask
    procedure :: reasons => binding_reasons
    procedure :: threshold => binding_threshold
    procedure :: counts => binding_counts
    procedure :: summary => binding_summary
    procedure :: timers => binding_timers
    procedure :: shadow => binding_shadow
    procedure :: ramp => binding_ramp
    procedure :: partial => binding_partial
    procedure :: differences => binding_differences
    procedure, private :: state_get_1, state_get_2, state_set_1, state_set_2
    generic :: state_get => state_get_1, state_get_2
    generic :: state_set => state_set_1, state_set_2
    procedure :: free => binding_free
    procedure, private :: binding_assign
    generic :: assignment(=) => binding_assign
    final :: binding_finalize
include 'binding_arrays_names.inc'
  end type binding_t

contains

  !> Prepare for `n_column` columns. A rank or chunk may have none: then arrays have no elements,
  !> every call is allowed and does nothing.
  !>
  !> `column_id`: global numbers that key the random numbers (default 1, 2, ...); `seed`: default 0;
  !> `reproducible` (default true): results do not depend on the number of neighbours; `policy`:
  !> with 'error' (default) NaN, infinity or overflow make `run` fail and write nothing, and values
  !> outside the range of training are computed, counted and marked: look at `mask`, `summary` or
  !> `log_to`; the others, 'flag', 'clip', 'zero' and 'host', never fail, see hybrid.h.
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
    if (.not. one_each('column', column_id, n_column, stat, errmsg)) return
    call self%free()
    self%n_column = n_column
    call report(hybrid_binding_create(handle_of(closure), int(n_column, c_int64_t), &
                                      address_of(column_id), seed_of(seed), &
                                      flag(reproducible, default=.true.), &
                                      given(policy, 'error'), self%handle), &
                stat, errmsg)
  end subroutine binding_create

  !> Prepare a grid closure for `n_member` members on the host's grid.
  !>
  !> `dims`: names of the grid's dimensions, for example 'y,x', and for each of them `sizes`, points
  !> without halo, `spacing`, distance of points in the units of the closure's grid, and
  !> `boundary`, 'periodic', 'wall' or 'halo', for example 'wall,periodic'. Spacing and boundary are
  !> compared with those that the closure was made for. With 'halo', inputs have the neighbours'
  !> points at both ends, which the host fills. The others are as in `create`.
  subroutine binding_create_grid(self, closure, n_member, dims, sizes, spacing, boundary, &
                                 member_id, seed, reproducible, policy, stat, errmsg)
    class(binding_t), intent(inout) :: self
    type(closure_t), intent(in) :: closure
    integer, intent(in) :: n_member, sizes(:)
    character(len=*), intent(in) :: dims, boundary
    real(real64), intent(in) :: spacing(:)
    integer(int64), intent(in), contiguous, optional, target :: member_id(:)
    integer(int64), intent(in), optional :: seed
    logical, intent(in), optional :: reproducible
    character(len=*), intent(in), optional :: policy
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer :: i, n_dim
    n_dim = count([(dims(i:i) == ',', i=1, len(dims))]) + 1
    if (size(sizes) /= n_dim .or. size(spacing) /= n_dim) then
      call fail('create_grid: expected as many sizes and spacings as dims ('//trim(dims)// &
                '), got '//as_text(size(sizes))//' and '//as_text(size(spacing)), &
                hybrid_error_shape, stat, errmsg)
      return
    end if
    if (.not. one_each('member', member_id, n_member, stat, errmsg)) return
    call self%free()
    self%n_column = n_member
    call report(hybrid_binding_create_grid(handle_of(closure), int(n_member, c_int64_t), &
                                           address_of(member_id), c_string(dims), &
                                           int(sizes, c_int64_t), spacing, c_string(boundary), &
                                           seed_of(seed), flag(reproducible, default=.true.), &
                                           given(policy, 'error'), self%handle), &
                stat, errmsg)
  end subroutine binding_create_grid

  !> Evaluate the closure for model step `step`, with arrays that were bound, all of them; may be
  !> called several times a step.
  subroutine binding_run(self, step, stat, errmsg)
    class(binding_t), intent(inout) :: self
    integer, intent(in) :: step
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call report(hybrid_binding_run(self%handle, int(step, c_int64_t)), stat, errmsg)
  end subroutine binding_run

  !> Evaluate the closure for model step `step`, with inputs that were put, all of them; `get`
  !> then gives the outputs.
  subroutine binding_apply(self, step, stat, errmsg)
    class(binding_t), intent(inout) :: self
    integer, intent(in) :: step
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call report(hybrid_binding_apply(self%handle, int(step, c_int64_t)), stat, errmsg)
  end subroutine binding_apply

  !> Go on with another chunk of at most as many columns as in `create`: put, apply and get then
  !> mean these. Refused for a closure with state, which belongs to its columns, and after bind.
  subroutine binding_chunk(self, n_column, column_id, stat, errmsg)
    class(binding_t), intent(inout) :: self
    integer, intent(in) :: n_column
    integer(int64), intent(in), contiguous, optional, target :: column_id(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    if (.not. one_each('column', column_id, n_column, stat, errmsg)) return
    call report(hybrid_binding_chunk(self%handle, int(n_column, c_int64_t), &
                                     address_of(column_id)), stat, errmsg)
  end subroutine binding_chunk

  !> Make the state computed by the last run or apply the current one; once a model step.
  subroutine binding_commit(self, stat, errmsg)
    class(binding_t), intent(inout) :: self
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call report(hybrid_binding_commit(self%handle), stat, errmsg)
  end subroutine binding_commit

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
    integer :: n_column
    shared = right%handle
    n_column = right%n_column
    if (c_associated(shared)) status = hybrid_binding_retain(shared)
    call left%free()
    left%handle = shared
    left%n_column = n_column
  end subroutine binding_assign

  !> Whether there is a number for each column or member; without numbers there is.
  logical function one_each(what, numbers, n, stat, errmsg)
    character(len=*), intent(in) :: what
    integer(int64), intent(in), optional :: numbers(:)
    integer, intent(in) :: n
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    one_each = .true.
    if (.not. present(numbers)) return
    one_each = size(numbers) == n
    if (.not. one_each) then
      call fail(what//'_id: expected '//as_text(n)//' numbers, one for each '//what//', got '// &
                as_text(size(numbers)), hybrid_error_shape, stat, errmsg)
    end if
  end function one_each

  !> Null, which counts from 1, if there are no numbers.
  type(c_ptr) function address_of(numbers)
    integer(int64), intent(in), contiguous, optional, target :: numbers(:)
    address_of = c_null_ptr
    if (.not. present(numbers)) return
    if (size(numbers) > 0) address_of = c_loc(numbers)
  end function address_of

  pure integer(c_int64_t) function seed_of(seed)
    integer(int64), intent(in), optional :: seed
    seed_of = 0_c_int64_t
    if (present(seed)) seed_of = seed
  end function seed_of

  pure integer(c_int) function flag(option, default)
    logical, intent(in), optional :: option
    logical, intent(in) :: default
    logical :: chosen
    chosen = default
    if (present(option)) chosen = option
    flag = merge(1_c_int, 0_c_int, chosen)
  end function flag

include 'binding_place.inc'
include 'binding_arrays.inc'
include 'binding_guard.inc'
include 'binding_coupling.inc'
include 'binding_state.inc'
end module hybrid_binding
