! A closure's inputs from an mli file: read, or derived where the file lacks them.

module climsim_inputs
  use, intrinsic :: iso_fortran_env, only: real64
  use climsim_columns, only: columns_t
  use climsim_fields, only: field_t, find_input, name_length
  use climsim_files, only: mli_t
  use climsim_humidity, only: liquid_partition, relative_humidity
  use climsim_settings, only: stop_with
  implicit none(type, external)
  private
  public :: read_inputs

  !> Snow on ice is a huge number where there is no ice, which stands for none.
  character(len=*), parameter :: filled = 'cam_in_SNOWHICE'
  real(real64), parameter :: fill = 1.0e30_real64

contains

  !> Fill the inputs of `columns` with its share of the columns of a file.
  subroutine read_inputs(file, columns)
    type(mli_t), intent(in) :: file
    type(columns_t), intent(inout) :: columns
    character(len=name_length) :: name
    type(field_t) :: field
    character(len=1024) :: errmsg
    integer :: i, first, last
    do i = 1, columns%field_count('inputs')
      name = columns%field_name('inputs', i)
      call find_input(name, field, errmsg)
      call columns%place('inputs', name, first, last)
      if (field%variable == '') then
        call derive(file, field%name, columns%input(:, first:last))
      else if (field%is_profile) then
        call file%read_profile(trim(field%variable), columns%input(:, first:last))
      else
        call file%read_scalar(trim(field%variable), columns%input(:, first))
      end if
      if (field%variable == filled) then
        where (abs(columns%input(:, first)) >= 0.5_real64*fill) columns%input(:, first) = 0.0_real64
      end if
    end do
  end subroutine read_inputs

  subroutine derive(file, name, values)
    type(mli_t), intent(in) :: file
    character(len=*), intent(in) :: name
    real(real64), intent(inout), contiguous :: values(:, :)
    real(real64), allocatable :: one(:, :), other(:, :)
    allocate (one, other, mold=values)
    select case (name)
    case ('state_rh')
      call file%read_profile('state_t', values)
      call file%read_profile('state_q0001', one)
      call file%read_profile('state_pmid', other)
      values = relative_humidity(values, one, other)
    case ('state_qn')
      call file%read_profile('state_q0002', one)
      call file%read_profile('state_q0003', other)
      values = one + other
    case ('liq_partition')
      call file%read_profile('state_t', one)
      values = liquid_partition(one)
    case default
      call stop_with(trim(name)//': expected a field with a formula, got one without')
    end select
  end subroutine derive

end module climsim_inputs
