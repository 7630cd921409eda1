!> A host of many columns, and the pieces it may be cut into.
!>
!> Inputs and results of all columns and steps are raw files of real64: (element, column, step),
!> the elements of all fields of a column one after another. A piece keeps arrays of its own, as
!> (column, level), as a host would.
module columns_host
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)
  private

  public :: count_elements, read_domain, run_chunks_by_put, run_piece, write_domain

  integer(int64), parameter :: seed = 11_int64

  !> One field of the columns of a piece.
  type :: field_t
    character(len=32) :: name = '', units = ''
    real(real64), allocatable :: values(:, :)  ! (column, element)
  end type field_t

contains

  !> Elements of all fields of a group in one column.
  integer function count_elements(closure, group) result(n)
    type(closure_t), intent(in) :: closure
    character(len=*), intent(in) :: group
    integer :: i
    n = 0
    do i = 1, closure%field_count(group)
      n = n + closure%field_size(closure%field_name(group, i))
    end do
  end function count_elements

  !> Columns first + 1 to first + n, all steps, with a binding of their own.
  subroutine run_piece(closure, first, n, inputs, results)
    type(closure_t), intent(in) :: closure
    integer, intent(in) :: first, n
    real(real64), intent(in) :: inputs(:, :, :)
    real(real64), intent(inout) :: results(:, :, :)
    type(field_t), allocatable, target :: input(:), output(:)
    type(binding_t) :: columns
    integer :: step
    input = fields_of(closure, 'inputs', n)
    output = fields_of(closure, 'outputs', n)
    call columns%create(closure, n, column_id=numbers(first, n), seed=seed)
    call bind_all(columns, input)
    call bind_all(columns, output)
    do step = 1, size(inputs, 3)
      call take(input, inputs(:, first + 1:first + n, step))
      call columns%run(step)
      call columns%commit()
      call give(output, results(:, first + 1:first + n, step))
    end do
  end subroutine run_piece

  !> All columns in chunks of `n`, with one binding that goes from chunk to chunk.
  subroutine run_chunks_by_put(closure, n, inputs, results)
    type(closure_t), intent(in) :: closure
    integer, intent(in) :: n
    real(real64), intent(in) :: inputs(:, :, :)
    real(real64), intent(inout) :: results(:, :, :)
    type(field_t), allocatable :: input(:), output(:)
    type(binding_t) :: columns
    integer :: first, m, step
    call columns%create(closure, n, seed=seed)
    do step = 1, size(inputs, 3)
      do first = 0, size(inputs, 2) - 1, n
        m = min(n, size(inputs, 2) - first)
        call columns%chunk(m, column_id=numbers(first, m))
        input = fields_of(closure, 'inputs', m)
        output = fields_of(closure, 'outputs', m)
        call take(input, inputs(:, first + 1:first + m, step))
        call put_all(columns, input)
        call columns%apply(step)
        call get_all(columns, output)
        call give(output, results(:, first + 1:first + m, step))
      end do
    end do
  end subroutine run_chunks_by_put

  function fields_of(closure, group, n) result(fields)
    type(closure_t), intent(in) :: closure
    character(len=*), intent(in) :: group
    integer, intent(in) :: n
    type(field_t), allocatable :: fields(:)
    integer :: i
    allocate (fields(closure%field_count(group)))
    do i = 1, size(fields)
      fields(i)%name = closure%field_name(group, i)
      fields(i)%units = closure%field_units(trim(fields(i)%name))
      allocate (fields(i)%values(n, closure%field_size(trim(fields(i)%name))))
      fields(i)%values = 0.0_real64
    end do
  end function fields_of

  function numbers(first, n)
    integer, intent(in) :: first, n
    integer(int64) :: numbers(n)
    integer :: i
    numbers = [(int(first + i, int64), i=1, n)]
  end function numbers

  subroutine bind_all(columns, fields)
    type(binding_t), intent(inout) :: columns
    type(field_t), intent(inout), target :: fields(:)
    integer :: i
    do i = 1, size(fields)
      if (size(fields(i)%values, 2) > 1) then
        call columns%bind(trim(fields(i)%name), fields(i)%values, dims='column,level', &
          units=trim(fields(i)%units))
      else
        call columns%bind(trim(fields(i)%name), fields(i)%values(:, 1), dims='column', &
          units=trim(fields(i)%units))
      end if
    end do
  end subroutine bind_all

  subroutine put_all(columns, fields)
    type(binding_t), intent(inout) :: columns
    type(field_t), intent(in) :: fields(:)
    integer :: i
    do i = 1, size(fields)
      if (size(fields(i)%values, 2) > 1) then
        call columns%put(trim(fields(i)%name), fields(i)%values, dims='column,level', &
          units=trim(fields(i)%units))
      else
        call columns%put(trim(fields(i)%name), fields(i)%values(:, 1), dims='column', &
          units=trim(fields(i)%units))
      end if
    end do
  end subroutine put_all

  subroutine get_all(columns, fields)
    type(binding_t), intent(inout) :: columns
    type(field_t), intent(inout) :: fields(:)
    integer :: i
    do i = 1, size(fields)
      if (size(fields(i)%values, 2) > 1) then
        call columns%get(trim(fields(i)%name), fields(i)%values, dims='column,level', &
          units=trim(fields(i)%units))
      else
        call columns%get(trim(fields(i)%name), fields(i)%values(:, 1), dims='column', &
          units=trim(fields(i)%units))
      end if
    end do
  end subroutine get_all

  !> Spread (element, column) over the fields.
  subroutine take(fields, values)
    type(field_t), intent(inout) :: fields(:)
    real(real64), intent(in) :: values(:, :)
    integer :: i, n, element
    element = 0
    do i = 1, size(fields)
      n = size(fields(i)%values, 2)
      fields(i)%values = transpose(values(element + 1:element + n, :))
      element = element + n
    end do
  end subroutine take

  !> Gather (element, column) from the fields.
  subroutine give(fields, values)
    type(field_t), intent(in) :: fields(:)
    real(real64), intent(out) :: values(:, :)
    integer :: i, n, element
    element = 0
    do i = 1, size(fields)
      n = size(fields(i)%values, 2)
      values(element + 1:element + n, :) = transpose(fields(i)%values)
      element = element + n
    end do
  end subroutine give

  subroutine read_domain(path, values)
    character(len=*), intent(in) :: path
    real(real64), intent(out) :: values(:, :, :)
    integer :: unit
    open (newunit=unit, file=path, access='stream', form='unformatted', status='old', &
      action='read')
    read (unit) values
    close (unit)
  end subroutine read_domain

  subroutine write_domain(path, values)
    character(len=*), intent(in) :: path
    real(real64), intent(in) :: values(:, :, :)
    integer :: unit
    open (newunit=unit, file=path, access='stream', form='unformatted', status='replace', &
      action='write')
    write (unit) values
    close (unit)
  end subroutine write_domain

end module columns_host
