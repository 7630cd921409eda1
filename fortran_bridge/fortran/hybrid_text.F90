!> Text on its way to C and back, and errors on their way to the caller.
!>
!> No function here or in the modules above returns a text of deferred length: gfortran keeps that
!> length in memory that all threads share, until the caller has taken the text.
module hybrid_text
  use, intrinsic :: iso_c_binding, only: c_associated, c_char, c_f_pointer, c_int, c_null_char, &
    c_ptr
#ifdef HYBRID_NO_ASSUMED_RANK
  use, intrinsic :: iso_fortran_env, only: error_unit
#endif
  use hybrid_c_abi, only: c_text_length, hybrid_last_error
  implicit none
  private

  public :: c_string, as_text, f_string, fail, given, report, text_length

contains

  !> Hand a status to the caller, or stop with the message where none is wanted.
  subroutine report(status, stat, errmsg)
    integer(c_int), intent(in) :: status
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    if (status /= 0) then
      call fail(f_string(hybrid_last_error()), int(status), stat, errmsg)
    else if (present(stat)) then
      stat = 0
    end if
  end subroutine report

  !> The same for an error that was found here.
  subroutine fail(message, status, stat, errmsg)
    character(len=*), intent(in) :: message
    integer, intent(in) :: status
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    if (present(errmsg)) errmsg = message
    if (present(stat)) then
      stat = status
    else
#ifdef HYBRID_NO_ASSUMED_RANK
      ! A stop code that is not a constant is Fortran 2018, too.
      write (error_unit, '(2a)') 'ERROR STOP ', message
      error stop
#else
      error stop message
#endif
    end if
  end subroutine fail

  !> Null-terminated, without trailing blanks.
  pure function c_string(text) result(chars)
    character(len=*), intent(in) :: text
    character(kind=c_char) :: chars(len_trim(text) + 1)
    integer :: i
    do i = 1, len_trim(text)
      chars(i) = text(i:i)
    end do
    chars(len_trim(text) + 1) = c_null_char
  end function c_string

  !> Zero for a null address.
  pure integer function text_length(address) result(n)
    type(c_ptr), intent(in) :: address
    n = 0
    if (c_associated(address)) n = int(c_text_length(address))
  end function text_length

  !> Empty for a null address.
  function f_string(address) result(text)
    type(c_ptr), intent(in) :: address
    character(len=text_length(address)) :: text
    character(kind=c_char), pointer :: chars(:)
    integer :: i
    if (.not. c_associated(address)) return
    call c_f_pointer(address, chars, [len(text)])
    do i = 1, len(text)
      text(i:i) = chars(i)
    end do
  end function f_string

  !> An optional text, or what stands for it, as `c_string` gives it.
  pure function given(option, default) result(chars)
    character(len=*), intent(in), optional :: option
    character(len=*), intent(in) :: default
    character(kind=c_char), allocatable :: chars(:)
    if (present(option)) then
      chars = c_string(option)
    else
      chars = c_string(default)
    end if
  end function given

  !> A number as text, for messages.
  pure function as_text(number) result(text)
    integer, intent(in) :: number
    character(len=width(number)) :: text
    write (text, '(i0)') number
  end function as_text

  !> Characters of a number.
  pure integer function width(number)
    integer, intent(in) :: number
    character(len=24) :: text
    write (text, '(i0)') number
    width = len_trim(text)
  end function width

end module hybrid_text
