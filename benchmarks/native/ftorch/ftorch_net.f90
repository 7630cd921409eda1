! A network run by FTorch, with tensors that are made once.
module ftorch_net
  use, intrinsic :: iso_c_binding, only: c_char, c_f_pointer, c_float, c_int, c_int64_t, c_loc, &
                                         c_ptr
  use ftorch, only: torch_kcpu, torch_model, torch_model_forward, torch_model_load, torch_tensor, &
                    torch_tensor_from_array
  implicit none(type, external)
  private
  public :: ftorch_call, ftorch_close, ftorch_open

  ! The first subscript is the column, the second, which is contiguous, the feature.
  integer, parameter :: layout(2) = [2, 1]

  type, public :: net_t
    type(torch_model) :: model
    type(torch_tensor) :: inputs(1), outputs(1)
    real(c_float), pointer, contiguous :: features(:, :), results(:, :)
  end type net_t

contains

  ! The arrays must outlive the call that is made of them. FTorch ends the program on an error.
  function ftorch_open(path, length, n_column, n_input, n_output, features, results) &
    result(context) bind(c)
    integer(c_int64_t), value :: length, n_column, n_input, n_output
    character(kind=c_char), intent(in) :: path(length)
    type(c_ptr), value :: features, results
    type(c_ptr) :: context
    type(net_t), pointer :: net
    character(len=length) :: file
    integer :: i

    do i = 1, int(length)
      file(i:i) = path(i)
    end do
    allocate (net)
    call c_f_pointer(features, net%features, [n_column, n_input])
    call c_f_pointer(results, net%results, [n_column, n_output])
    call torch_model_load(net%model, file, torch_kcpu)
    call torch_tensor_from_array(net%inputs(1), net%features, layout, torch_kcpu)
    call torch_tensor_from_array(net%outputs(1), net%results, layout, torch_kcpu)
    context = c_loc(net)
  end function ftorch_open

  function ftorch_call(context) result(status) bind(c)
    type(c_ptr), value :: context
    integer(c_int) :: status
    type(net_t), pointer :: net

    call c_f_pointer(context, net)
    call torch_model_forward(net%model, net%inputs, net%outputs)
    status = 0
  end function ftorch_call

  subroutine ftorch_close(context) bind(c)
    type(c_ptr), value :: context
    type(net_t), pointer :: net

    call c_f_pointer(context, net)
    deallocate (net)
  end subroutine ftorch_close

end module ftorch_net
