! What a host writes by hand where there is no bridge: read double precision in the host's units
! and order, normalise, call the net, denormalise, write double precision in the host's units.
!
! As quick as is reasonable: the units go into the constants of the normalisation, the work
! arrays stay allocated, nothing is checked.
module honest_equivalent
  use, intrinsic :: iso_c_binding, only: c_double, c_f_pointer, c_f_procpointer, c_float, &
                                         c_funptr, c_int, c_int64_t, c_loc, c_ptr
  implicit none(type, external)
  private
  public :: honest_create, honest_free, honest_step

  ! One host: its arrays (column, level), the net's (feature, column), and the constants.
  type, public :: host_t
    procedure(call_net), pointer, nopass :: evaluate => null()
    type(c_ptr) :: net
    real(c_double), pointer, contiguous :: temperature(:, :), tendency(:, :)
    real(c_float), pointer, contiguous :: features(:, :), results(:, :)
    real(c_double), allocatable :: input_mean(:), input_scale(:), output_mean(:), output_spread(:)
  end type host_t

  abstract interface
    function call_net(net) result(status) bind(c)
      import :: c_int, c_ptr
      implicit none(type, external)
      type(c_ptr), value :: net
      integer(c_int) :: status
    end function call_net
  end interface

contains

  ! `evaluate(net)` computes `results` from `features`. The constants are in the units of the
  ! host: feature = (temperature - input_mean)*input_scale, and
  ! tendency = output_mean + output_spread*result.
  function honest_create(evaluate, net, n_column, n_level, n_layer, temperature, tendency, &
                         features, results, input_mean, input_scale, output_mean, output_spread) &
    result(host) bind(c)
    type(c_funptr), value :: evaluate
    type(c_ptr), value :: net, temperature, tendency, features, results
    integer(c_int64_t), value :: n_column, n_level, n_layer
    real(c_double), intent(in) :: input_mean(n_level), input_scale(n_level)
    real(c_double), intent(in) :: output_mean(n_layer), output_spread(n_layer)
    type(c_ptr) :: host
    type(host_t), pointer :: made

    allocate (made)
    call c_f_procpointer(evaluate, made%evaluate)
    made%net = net
    call c_f_pointer(temperature, made%temperature, [n_column, n_level])
    call c_f_pointer(tendency, made%tendency, [n_column, n_layer])
    call c_f_pointer(features, made%features, [n_level, n_column])
    call c_f_pointer(results, made%results, [n_layer, n_column])
    made%input_mean = input_mean
    made%input_scale = input_scale
    made%output_mean = output_mean
    made%output_spread = output_spread
    host = c_loc(made)
  end function honest_create

  function honest_step(host) result(status) bind(c)
    type(c_ptr), value :: host
    integer(c_int) :: status
    type(host_t), pointer :: this
    integer :: column, level

    call c_f_pointer(host, this)
    do level = 1, size(this%temperature, 2)
      do column = 1, size(this%temperature, 1)
        this%features(level, column) = real((this%temperature(column, level) &
                                             - this%input_mean(level))*this%input_scale(level), &
                                            c_float)
      end do
    end do
    status = this%evaluate(this%net)
    do level = 1, size(this%tendency, 2)
      do column = 1, size(this%tendency, 1)
        this%tendency(column, level) = this%output_mean(level) &
                                       + this%output_spread(level)*this%results(level, column)
      end do
    end do
  end function honest_step

  subroutine honest_free(host) bind(c)
    type(c_ptr), value :: host
    type(host_t), pointer :: this

    call c_f_pointer(host, this)
    deallocate (this)
  end subroutine honest_free

end module honest_equivalent
