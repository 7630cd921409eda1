! A network as a modeller writes it in a host that has no library for it: loops in Fortran.
!
! Weights are kept (output, input), so that the inner loop runs over outputs, side by side in
! memory, and vectorises without sums being reordered.
module loops_net
  use, intrinsic :: iso_c_binding, only: c_f_pointer, c_float, c_int, c_int64_t, c_loc, c_ptr
  implicit none(type, external)
  private
  public :: loops_call, loops_close, loops_open

  ! struct dense_layers of dense_layers.hpp.
  type, public, bind(c) :: dense_layers_t
    integer(c_int64_t) :: n_layer
    type(c_ptr) :: widths, weights, biases
    real(c_float) :: slope
    integer(c_int64_t) :: n_column
    type(c_ptr) :: features, results
  end type dense_layers_t

  type :: layer_t
    real(c_float), allocatable :: weight(:, :), bias(:), output(:)
  end type layer_t

  type, public :: net_t
    type(layer_t), allocatable :: layers(:)
    real(c_float) :: slope
    real(c_float), pointer, contiguous :: features(:, :), results(:, :)
  end type net_t

contains

  ! Copies the weights; features and results must outlive the net.
  function loops_open(given) result(context) bind(c)
    type(dense_layers_t), intent(in) :: given
    type(c_ptr) :: context
    type(net_t), pointer :: net
    integer(c_int64_t), pointer :: widths(:)
    type(c_ptr), pointer :: weights(:), biases(:)
    real(c_float), pointer :: weight(:, :), bias(:)
    integer :: i, n

    n = int(given%n_layer)
    call c_f_pointer(given%widths, widths, [n + 1])
    call c_f_pointer(given%weights, weights, [n])
    call c_f_pointer(given%biases, biases, [n])
    allocate (net)
    allocate (net%layers(n))
    net%slope = given%slope
    do i = 1, n
      call c_f_pointer(weights(i), weight, [widths(i), widths(i + 1)])
      call c_f_pointer(biases(i), bias, [widths(i + 1)])
      net%layers(i)%weight = transpose(weight)
      net%layers(i)%bias = bias
      allocate (net%layers(i)%output(widths(i + 1)))
    end do
    call c_f_pointer(given%features, net%features, [widths(1), given%n_column])
    call c_f_pointer(given%results, net%results, [widths(n + 1), given%n_column])
    context = c_loc(net)
  end function loops_open

  function loops_call(context) result(status) bind(c)
    type(c_ptr), value :: context
    integer(c_int) :: status
    type(net_t), pointer :: net
    integer :: column, i, n

    call c_f_pointer(context, net)
    n = size(net%layers)
    do column = 1, size(net%features, 2)
      call dense(net%layers(1), net%features(:, column))
      do i = 2, n
        call activate(net%layers(i - 1)%output, net%slope)
        call dense(net%layers(i), net%layers(i - 1)%output)
      end do
      net%results(:, column) = net%layers(n)%output(:)
    end do
    status = 0
  end function loops_call

  subroutine loops_close(context) bind(c)
    type(c_ptr), value :: context
    type(net_t), pointer :: net

    call c_f_pointer(context, net)
    deallocate (net)
  end subroutine loops_close

  ! output = bias + weight*input
  subroutine dense(layer, input)
    type(layer_t), intent(inout) :: layer
    real(c_float), intent(in), contiguous :: input(:)
    integer :: i

    layer%output(:) = layer%bias
    do i = 1, size(input)
      layer%output(:) = layer%output + layer%weight(:, i)*input(i)
    end do
  end subroutine dense

  ! LeakyReLU, for slopes below 1.
  subroutine activate(values, slope)
    real(c_float), intent(inout), contiguous :: values(:)
    real(c_float), intent(in) :: slope

    values = max(values, slope*values)
  end subroutine activate

end module loops_net
