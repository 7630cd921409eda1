!> The Fortran interface of the bridge in a form that f90wrap passes on to Python.
!>
!> Module `hybrid` has dummies of any rank, optional arguments and results of deferred length, which
!> f90wrap leaves out. Here arrays have one kind and rank a procedure, an empty array stands for an
!> absent one, and text comes in pieces. Otherwise everything is that module's.
module hybrid_python
  use, intrinsic :: iso_fortran_env, only: int64, real32, real64
  use hybrid, only: binding_t, closure_t
  implicit none(type, external)
  private
  public :: python_binding_t, python_closure_t

  !> See `closure_t`.
  type :: python_closure_t
    type(closure_t), private :: closure
  contains
    procedure :: load
    procedure :: text => closure_text
    procedure :: field_count
    procedure :: field_name
    procedure :: field_units
    procedure :: field_size
    procedure :: free => closure_free
  end type python_closure_t

  !> See `binding_t`.
  type :: python_binding_t
    type(binding_t), private :: columns
  contains
    procedure :: create
    procedure :: create_grid
    procedure :: run
    procedure :: apply
    procedure :: chunk
    procedure :: commit
    procedure :: reasons
    procedure :: threshold
    procedure :: counts
    procedure :: text => binding_text
    procedure :: timers
    procedure :: ramp
    procedure :: partial
    procedure :: differences
    procedure :: state_get
    procedure :: state_set
    procedure :: free => binding_free
include 'hybrid_python_names.inc'
  end type python_binding_t

contains

  !> Load an archive.
  subroutine load(self, path, engine, device, threads, stat, errmsg)
    class(python_closure_t), intent(inout) :: self
    character(len=*), intent(in) :: path, engine, device
    integer, intent(in) :: threads
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%closure%load(path, engine=engine, device=device, threads=threads, stat=stat, &
                           errmsg=errmsg)
  end subroutine load

  !> Part of 'describe' or 'manifest' from character `first` on, and the length of the whole.
  subroutine closure_text(self, what, first, piece, length)
    class(python_closure_t), intent(in) :: self
    character(len=*), intent(in) :: what
    integer, intent(in) :: first
    character(len=4096), intent(out) :: piece
    integer, intent(out) :: length
    if (what == 'describe') then
      call cut(self%closure%describe(), first, piece, length)
    else
      call cut(self%closure%manifest(), first, piece, length)
    end if
  end subroutine closure_text

  integer function field_count(self, group) result(count)
    class(python_closure_t), intent(in) :: self
    character(len=*), intent(in) :: group
    count = self%closure%field_count(group)
  end function field_count

  function field_name(self, group, i) result(name)
    class(python_closure_t), intent(in) :: self
    character(len=*), intent(in) :: group
    integer, intent(in) :: i
    character(len=256) :: name
    name = self%closure%field_name(group, i)
  end function field_name

  function field_units(self, name) result(units)
    class(python_closure_t), intent(in) :: self
    character(len=*), intent(in) :: name
    character(len=256) :: units
    units = self%closure%field_units(name)
  end function field_units

  integer function field_size(self, name) result(elements)
    class(python_closure_t), intent(in) :: self
    character(len=*), intent(in) :: name
    elements = self%closure%field_size(name)
  end function field_size

  subroutine closure_free(self)
    class(python_closure_t), intent(inout) :: self
    call self%closure%free()
  end subroutine closure_free

  !> Prepare for `n_column` columns; without `column_id` they are 1, 2, ...
  subroutine create(self, closure, n_column, column_id, seed, reproducible, policy, stat, errmsg)
    class(python_binding_t), intent(inout) :: self
    class(python_closure_t), intent(in) :: closure
    integer, intent(in) :: n_column
    integer(int64), intent(in) :: column_id(:), seed
    logical, intent(in) :: reproducible
    character(len=*), intent(in) :: policy
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    if (size(column_id) == 0) then
      call self%columns%create(closure%closure, n_column, seed=seed, reproducible=reproducible, &
                               policy=policy, stat=stat, errmsg=errmsg)
    else
      call self%columns%create(closure%closure, n_column, column_id, seed, reproducible, policy, &
                               stat, errmsg)
    end if
  end subroutine create

  !> Prepare a grid closure for `n_member` members; without `member_id` they are 1, 2, ...
  subroutine create_grid(self, closure, n_member, dims, sizes, spacing, boundary, member_id, seed, &
                         reproducible, policy, stat, errmsg)
    class(python_binding_t), intent(inout) :: self
    class(python_closure_t), intent(in) :: closure
    integer, intent(in) :: n_member, sizes(:)
    character(len=*), intent(in) :: dims, boundary, policy
    real(real64), intent(in) :: spacing(:)
    integer(int64), intent(in) :: member_id(:), seed
    logical, intent(in) :: reproducible
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    if (size(member_id) == 0) then
      call self%columns%create_grid(closure%closure, n_member, dims, sizes, spacing, boundary, &
                                    seed=seed, reproducible=reproducible, policy=policy, &
                                    stat=stat, errmsg=errmsg)
    else
      call self%columns%create_grid(closure%closure, n_member, dims, sizes, spacing, boundary, &
                                    member_id, seed, reproducible, policy, stat, errmsg)
    end if
  end subroutine create_grid

  subroutine run(self, step, stat, errmsg)
    class(python_binding_t), intent(inout) :: self
    integer, intent(in) :: step
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%columns%run(step, stat, errmsg)
  end subroutine run

  subroutine apply(self, step, stat, errmsg)
    class(python_binding_t), intent(inout) :: self
    integer, intent(in) :: step
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%columns%apply(step, stat, errmsg)
  end subroutine apply

  subroutine chunk(self, n_column, column_id, stat, errmsg)
    class(python_binding_t), intent(inout) :: self
    integer, intent(in) :: n_column
    integer(int64), intent(in) :: column_id(:)
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    if (size(column_id) == 0) then
      call self%columns%chunk(n_column, stat=stat, errmsg=errmsg)
    else
      call self%columns%chunk(n_column, column_id, stat, errmsg)
    end if
  end subroutine chunk

  subroutine commit(self, stat, errmsg)
    class(python_binding_t), intent(inout) :: self
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%columns%commit(stat, errmsg)
  end subroutine commit

  subroutine reasons(self, found, stat, errmsg)
    class(python_binding_t), intent(in) :: self
    integer, intent(inout) :: found(:)
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%columns%reasons(found, stat, errmsg)
  end subroutine reasons

  subroutine threshold(self, value, stat, errmsg)
    class(python_binding_t), intent(inout) :: self
    real(real64), intent(in) :: value
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%columns%threshold(value, stat, errmsg)
  end subroutine threshold

  !> Counts of one field, or of any if `name` is blank.
  subroutine counts(self, name, evaluated, flagged, stat, errmsg)
    class(python_binding_t), intent(in) :: self
    character(len=*), intent(in) :: name
    integer(int64), intent(out) :: evaluated
    integer(int64), intent(inout) :: flagged(:)
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    if (name == '') then
      call self%columns%counts(evaluated, flagged, stat=stat, errmsg=errmsg)
    else
      call self%columns%counts(evaluated, flagged, name, stat, errmsg)
    end if
  end subroutine counts

  !> Part of the summary from character `first` on, and the length of the whole.
  subroutine binding_text(self, what, first, piece, length)
    class(python_binding_t), intent(in) :: self
    character(len=*), intent(in) :: what
    integer, intent(in) :: first
    character(len=4096), intent(out) :: piece
    integer, intent(out) :: length
    piece = what
    call cut(self%columns%summary(), first, piece, length)
  end subroutine binding_text

  !> Evaluations since create, and the seconds that their phases took [s].
  subroutine timers(self, n_run, packing, engine, unpacking, stat, errmsg)
    class(python_binding_t), intent(in) :: self
    integer(int64), intent(out) :: n_run
    real(real64), intent(out) :: packing, engine, unpacking
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%columns%timers(n_run, packing, engine, unpacking, stat, errmsg)
  end subroutine timers

  !> `start` and `end` are what `binding_t` calls `from` and `to`: `from` is a keyword of Python.
  subroutine ramp(self, name, start, end, first, last, stat, errmsg)
    class(python_binding_t), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(in) :: start, end
    integer, intent(in) :: first, last
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%columns%ramp(name, start, end, first, last, stat, errmsg)
  end subroutine ramp

  subroutine partial(self, name, element, column, stat, errmsg)
    class(python_binding_t), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(in) :: element(:), column(:)
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    if (size(element) > 0 .and. size(column) > 0) then
      call self%columns%partial(name, element, column, stat, errmsg)
    else if (size(element) > 0) then
      call self%columns%partial(name, element=element, stat=stat, errmsg=errmsg)
    else if (size(column) > 0) then
      call self%columns%partial(name, column=column, stat=stat, errmsg=errmsg)
    else
      call self%columns%partial(name, stat=stat, errmsg=errmsg)
    end if
  end subroutine partial

  subroutine differences(self, name, count, mean, rms, largest, stat, errmsg)
    class(python_binding_t), intent(in) :: self
    character(len=*), intent(in) :: name
    integer(int64), intent(inout) :: count(:)
    real(real64), intent(inout) :: mean(:), rms(:), largest(:)
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%columns%differences(name, count, mean, rms, largest, stat, errmsg)
  end subroutine differences

  subroutine state_get(self, name, values, stat, errmsg)
    class(python_binding_t), intent(in) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(inout) :: values(:, :)
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%columns%state_get(name, values, stat, errmsg)
  end subroutine state_get

  subroutine state_set(self, name, values, stat, errmsg)
    class(python_binding_t), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(in) :: values(:, :)
    integer, intent(out) :: stat
    character(len=1024), intent(out) :: errmsg
    errmsg = ''
    call self%columns%state_set(name, values, stat, errmsg)
  end subroutine state_set

  subroutine binding_free(self)
    class(python_binding_t), intent(inout) :: self
    call self%columns%free()
  end subroutine binding_free

  pure subroutine cut(whole, first, piece, length)
    character(len=*), intent(in) :: whole
    integer, intent(in) :: first
    character(len=*), intent(out) :: piece
    integer, intent(out) :: length
    length = len(whole)
    piece = whole(first:min(first + len(piece) - 1, length))
  end subroutine cut

include 'hybrid_python_arrays.inc'
end module hybrid_python
