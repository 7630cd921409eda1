! The tendencies of the barotropic host: all that is no closure.

module barotropic_model
  use, intrinsic :: iso_fortran_env, only: real64
  use barotropic_settings, only: physics_t
  use barotropic_waves, only: waves_t
  implicit none(type, external)
  private
  public :: add_resolved_tendency, damping, forcing, velocity

  complex(real64), parameter :: i = (0.0_real64, 1.0_real64)

contains

  !> Spectra of u = -d psi / dy and v = d psi / dx of the spectrum of the vorticity.
  pure subroutine velocity(waves, vorticity, u, v)
    type(waves_t), intent(in) :: waves
    complex(real64), intent(in) :: vorticity(0:, -waves%m_y:)
    complex(real64), intent(out) :: u(0:, -waves%m_y:), v(0:, -waves%m_y:)
    complex(real64) :: psi(0:waves%m_x)
    integer :: l

    do l = -waves%m_y, waves%m_y
      psi = streamfunction(vorticity(:, l), waves%squared(:, l))
      u(:, l) = -i*waves%l(l)*psi
      v(:, l) = i*waves%k*psi
    end do
  end subroutine velocity

  !> Add -div(u w) - beta v. The fluxes u w and v w are given as spectra. Free of aliasing, this is
  !> the same as the curl of the divergence of momentum fluxes.
  pure subroutine add_resolved_tendency(waves, physics, vorticity, flux_x, flux_y, tendency)
    type(waves_t), intent(in) :: waves
    type(physics_t), intent(in) :: physics
    complex(real64), intent(in), dimension(0:, -waves%m_y:) :: vorticity, flux_x, flux_y
    complex(real64), intent(inout) :: tendency(0:, -waves%m_y:)
    integer :: l

    do l = -waves%m_y, waves%m_y
      tendency(:, l) = tendency(:, l) - i*waves%k*flux_x(:, l) - i*waves%l(l)*flux_y(:, l) &
        - physics%beta*i*waves%k*streamfunction(vorticity(:, l), waves%squared(:, l))
    end do
  end subroutine add_resolved_tendency

  !> psi = -w / (k**2 + l**2); the mean has none.
  elemental complex(real64) function streamfunction(vorticity, squared) result(psi)
    complex(real64), intent(in) :: vorticity
    real(real64), intent(in) :: squared
    psi = (0.0_real64, 0.0_real64)
    if (squared > 0.0_real64) psi = -vorticity/squared
  end function streamfunction

  !> Rate at which a wave decays by viscosity, drag and hyperviscosity.
  elemental real(real64) function damping(physics, squared) result(rate)
    type(physics_t), intent(in) :: physics
    real(real64), intent(in) :: squared
    rate = physics%viscosity*squared + physics%drag &
      + physics%hyperviscosity*squared**physics%hyperviscosity_order
  end function damping

  !> Spectrum of A (cos k_f x + cos k_f y) with m_x and m_y whole waves over the domain; the waves
  !> are those that the grid keeps.
  pure subroutine forcing(waves, amplitude, m_x, m_y, spectrum)
    type(waves_t), intent(in) :: waves
    real(real64), intent(in) :: amplitude
    integer, intent(in) :: m_x, m_y
    complex(real64), intent(out) :: spectrum(0:, -waves%m_y:)

    spectrum = (0.0_real64, 0.0_real64)
    if (.not. abs(amplitude) > 0.0_real64) return
    spectrum(m_x, 0) = 0.5_real64*amplitude*waves%n_x*waves%n_y
    spectrum(0, [-m_y, m_y]) = 0.5_real64*amplitude*waves%n_x*waves%n_y
  end subroutine forcing

end module barotropic_model
