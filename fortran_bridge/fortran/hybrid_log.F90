!> Messages of the library on their way to a procedure of the host.
module hybrid_log
  use, intrinsic :: iso_c_binding, only: c_associated, c_funloc, c_int, c_loc, c_null_funptr, &
    c_null_ptr, c_ptr
  use hybrid_c_abi, only: hybrid_log_to
  use hybrid_text, only: f_string
  implicit none
  private

  public :: log_procedure, log_to

  abstract interface
    !> `level` is hybrid_log_info or hybrid_log_warning.
    subroutine log_procedure(level, text)
      integer, intent(in) :: level
      character(len=*), intent(in) :: text
    end subroutine log_procedure
  end interface

  !> What the library hands back with each message.
  type :: listener_t
    procedure(log_procedure), pointer, nopass :: tell => null()
  end type listener_t

  type(listener_t), target :: listener

contains

  !> Have the library's messages (engine and blocks chosen at load, the first flagged column of a
  !> binding) sent to a procedure, one for the process; without an argument nowhere, as at the
  !> start. It may be called from any thread that calls the library; it must be a module or
  !> external procedure and return.
  subroutine log_to(procedure)
    procedure(log_procedure), optional :: procedure
    call hybrid_log_to(c_null_funptr, c_null_ptr)
    if (.not. present(procedure)) return
    listener%tell => procedure
    call hybrid_log_to(c_funloc(pass_on), c_loc(listener))
  end subroutine log_to

  !> Without a binding label, so that two copies of this module fit into one program.
  subroutine pass_on(level, message, context) bind(c, name='')
    integer(c_int), value, intent(in) :: level
    type(c_ptr), value, intent(in) :: message, context
    if (c_associated(context, c_loc(listener))) call listener%tell(int(level), f_string(message))
  end subroutine pass_on

end module hybrid_log
