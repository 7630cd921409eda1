! The tendencies of the Lorenz-96 host.

module lorenz96_model
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none(type, external)
  private
  public :: add_resolved_tendency, own_subgrid_tendency

contains

  !> Add the tendency of the resolved terms, -X_{k-1} (X_{k-2} - X_{k+1}) - X_k + F.
  pure subroutine add_resolved_tendency(n_k, n_member, forcing, x, tendency)
    integer, intent(in) :: n_k, n_member
    real(real64), intent(in) :: forcing
    real(real64), intent(in) :: x(n_k, n_member)
    real(real64), intent(inout) :: tendency(n_k, n_member)
    integer :: k, member

    do member = 1, n_member
      do k = 1, n_k
        associate (west => modulo(k - 2, n_k) + 1, far_west => modulo(k - 3, n_k) + 1, &
          east => modulo(k, n_k) + 1)
          tendency(k, member) = tendency(k, member) + forcing - x(k, member) &
            - x(west, member)*(x(far_west, member) - x(east, member))
        end associate
      end do
    end do
  end subroutine add_resolved_tendency

  !> The host's own scheme, a cubic fit: U = b0 + b1 X + b2 X**2 + b3 X**3.
  elemental real(real64) function own_subgrid_tendency(b0, b1, b2, b3, x) result(tendency)
    real(real64), intent(in) :: b0, b1, b2, b3, x
    tendency = ((b3*x + b2)*x + b1)*x + b0
  end function own_subgrid_tendency

end module lorenz96_model
