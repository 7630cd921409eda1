!> A loaded archive.
module hybrid_closure
  use, intrinsic :: iso_c_binding, only: c_associated, c_int, c_int64_t, c_loc, c_null_ptr, c_ptr
  use, intrinsic :: iso_fortran_env, only: int8
  use hybrid_c_abi, only: hybrid_closure_describe, hybrid_closure_field_count, &
    hybrid_closure_field_name, hybrid_closure_field_size, hybrid_closure_field_units, &
    hybrid_closure_free, hybrid_closure_load_memory_precision, hybrid_closure_load_precision, &
    hybrid_closure_manifest, hybrid_closure_retain
  use hybrid_text, only: c_string, f_string, given, report, text_length
  implicit none
  private

  public :: closure_t, handle_of

  !> A closure. Immutable once loaded, so all threads may share it.
  !>
  !> Assignment shares it; the last copy to be freed or to go out of scope releases it. Some copies
  !> a module cannot hook, so they must not be made: `allocate (copy, source=closure)`; assignment
  !> to an allocatable that it would have to allocate (allocate it before); and, with gfortran 12,
  !> of a type that has handles as components, of which it finalises a hidden copy (copy the handles
  !> one by one). Nor does gfortran 12 finalise arrays of handles as components rightly: let
  !> components be scalars.
  type :: closure_t
    private
    type(c_ptr) :: handle = c_null_ptr
  contains
    procedure :: load => closure_load
    procedure :: load_bytes => closure_load_bytes
    procedure :: describe => closure_describe
    procedure :: manifest => closure_manifest
    procedure :: field_count => closure_field_count
    procedure :: field_name => closure_field_name
    procedure :: field_units => closure_field_units
    procedure :: field_size => closure_field_size
    procedure :: free => closure_free
    procedure, private :: closure_assign
    generic :: assignment(=) => closure_assign
    final :: closure_finalize
  end type closure_t

contains

  !> Load an archive.
  !>
  !> `engine`: 'native', 'torchscript' or 'aoti', or 'auto' (default): the native engine where the
  !> archive holds a program for it, the library has it and the device is 'cpu', else the one that
  !> the archive names; `device`: 'cpu' (default) or one of the engine's, such as 'cuda:0', see
  !> `local_device`; `threads`: threads inside the engine's operations, default 1; `precision`:
  !> 'float32' (default), or 'bf16' of an archive that `hybrid precision` has let have it.
  subroutine closure_load(self, path, engine, device, threads, stat, errmsg, precision)
    class(closure_t), intent(inout) :: self
    character(len=*), intent(in) :: path
    character(len=*), intent(in), optional :: engine, device
    integer, intent(in), optional :: threads
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    character(len=*), intent(in), optional :: precision
    call self%free()
    call report(hybrid_closure_load_precision(c_string(path), given(engine, 'auto'), &
                                              given(device, 'cpu'), n_thread(threads), &
                                              given(precision, 'float32'), &
                                              self%handle), stat, errmsg)
  end subroutine closure_load

  !> The same from the bytes of an archive, see `read_bytes`: one rank reads, all load.
  !>
  !> `label` (default 'archive in memory') stands for the path in messages. The bytes may go
  !> afterwards.
  subroutine closure_load_bytes(self, bytes, label, engine, device, threads, stat, errmsg, &
                                precision)
    class(closure_t), intent(inout) :: self
    integer(int8), intent(in), contiguous, target :: bytes(:)
    character(len=*), intent(in), optional :: label, engine, device
    integer, intent(in), optional :: threads
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    character(len=*), intent(in), optional :: precision
    integer(int8), target :: nothing(1)
    type(c_ptr) :: address
    call self%free()
    ! The address of no bytes is null, which would be another error.
    nothing = 0_int8
    address = c_loc(nothing)
    if (size(bytes) > 0) address = c_loc(bytes)
    call report(hybrid_closure_load_memory_precision(address, size(bytes, kind=c_int64_t), &
                                                     given(label, 'archive in memory'), &
                                                     given(engine, 'auto'), &
                                                     given(device, 'cpu'), n_thread(threads), &
                                                     given(precision, 'float32'), &
                                                     self%handle), stat, errmsg)
  end subroutine closure_load_bytes

  !> Lines of text for people: name, engine, device, why 'auto' did not take the native engine, and
  !> each field with units, dims, sizes and envelope; empty before `load`.
  function closure_describe(self) result(text)
    class(closure_t), intent(in) :: self
    character(len=text_length(hybrid_closure_describe(self%handle))) :: text
    text = f_string(hybrid_closure_describe(self%handle))
  end function closure_describe

  !> The closure's specification as JSON text; empty before `load`.
  function closure_manifest(self) result(text)
    class(closure_t), intent(in) :: self
    character(len=text_length(hybrid_closure_manifest(self%handle))) :: text
    text = f_string(hybrid_closure_manifest(self%handle))
  end function closure_manifest

  !> Number of fields of a group: 'inputs', 'outputs', 'state', 'noise'; -1 for another group and
  !> before `load`.
  integer function closure_field_count(self, group) result(count)
    class(closure_t), intent(in) :: self
    character(len=*), intent(in) :: group
    count = int(hybrid_closure_field_count(self%handle, c_string(group)))
  end function closure_field_count

  !> Name of a field of a group, counted from 1; empty if there is none.
  function closure_field_name(self, group, i) result(name)
    class(closure_t), intent(in) :: self
    character(len=*), intent(in) :: group
    integer, intent(in) :: i
    character(len=text_length(name_of(self, group, i))) :: name
    name = f_string(name_of(self, group, i))
  end function closure_field_name

  !> Units of a field; empty if there is no such field.
  function closure_field_units(self, name) result(units)
    class(closure_t), intent(in) :: self
    character(len=*), intent(in) :: name
    character(len=text_length(units_of(self, name))) :: units
    units = f_string(units_of(self, name))
  end function closure_field_units

  pure type(c_ptr) function name_of(self, group, i)
    class(closure_t), intent(in) :: self
    character(len=*), intent(in) :: group
    integer, intent(in) :: i
    name_of = hybrid_closure_field_name(self%handle, c_string(group), int(i - 1, c_int))
  end function name_of

  pure type(c_ptr) function units_of(self, name)
    class(closure_t), intent(in) :: self
    character(len=*), intent(in) :: name
    units_of = hybrid_closure_field_units(self%handle, c_string(name))
  end function units_of

  !> Elements of a field in one column; a size that only `create_grid` fixes counts as 1; -1 if
  !> there is no such field.
  integer function closure_field_size(self, name) result(elements)
    class(closure_t), intent(in) :: self
    character(len=*), intent(in) :: name
    elements = int(hybrid_closure_field_size(self%handle, c_string(name)))
  end function closure_field_size

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

  !> For the module's own use: what hybrid.h calls a closure.
  type(c_ptr) function handle_of(closure)
    type(closure_t), intent(in) :: closure
    handle_of = closure%handle
  end function handle_of

  pure integer(c_int) function n_thread(threads)
    integer, intent(in), optional :: threads
    n_thread = 1_c_int
    if (present(threads)) n_thread = int(threads, c_int)
  end function n_thread

end module hybrid_closure
