"""The stand-in of PlaSim with a moist convection of its own, in the shape that the hook knows."""

from pathlib import Path

from plasim_stand_in import write_stand_in

STATE = """
  real, parameter :: acpd = 1003.5, adv = 0.85, alv = 2.5e6, deltsec2 = 3600.0
  real :: dqt(NHOR, NLEP), dqdt(NHOR, NLEP), dtdt(NHOR, NLEP), dprs(NHOR) = 0.0
  real, parameter :: sigma(NLEV) = [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95]
end module pumamod
"""

RAIN = """
module rainmod
  use pumamod
  implicit none
  integer :: icclev(NHOR, NLEV), icctot(NHOR), n_deep = 0
  real :: dprcl(NHOR, NLEV), dprscl(NHOR, NLEV)
end module rainmod

!     A layer of the cloud keeps a fifth of what all of them gain; the rest of it rains.
      subroutine kuo
      use rainmod
      implicit none
      integer :: k
      logical :: deep(NHOR), shallow(NHOR)
      real :: gained(NHOR), rain(NHOR), mixed(NHOR)
      dprcl(:,:) = 0.0
      dprscl(:,:) = 0.0
      icclev(:,:) = 0
      icctot(:) = 0
      gained = 0.0
      do k = 3, NLEV
        gained = gained + (dqt(:, k) + dqdt(:, k))*dsigma(k)
      end do
      deep = dqt(:, NLEV) + dqdt(:, NLEV) > 0.0 .and. gained > 0.0
      shallow = dqt(:, NLEV) + dqdt(:, NLEV) > 0.0 .and. .not. deep
      do k = 3, NLEV
        where (deep)
          rain = 0.8*gained/(NLEV - 2)
          dqdt(:, k) = 0.2*gained/(NLEV - 2)/dsigma(k) - dqt(:, k)
          dtdt(:,k) = dtdt(:, k) + rain/dsigma(k)*alv/(acpd*(1.0 + adv*dq(:, k)))
          dprcl(:,k) = rain
          icclev(:, k) = 1
          icctot = icctot + 1
        end where
      end do
      where (deep) icclev(:, 3) = 2
      n_deep = n_deep + count(deep)
      mixed = 1.0e-9*(dt(:, NLEV) + dtdt(:, NLEV)*deltsec2 - 270.0)*dp/1.0e5
      where (shallow)
        dqdt(:, 8) = dqdt(:, 8) + mixed
        dqdt(:, 9) = dqdt(:, 9) - mixed
        dtdt(:, 8) = dtdt(:, 8) + 1.0e3*mixed
        dtdt(:, 9) = dtdt(:, 9) - 1.0e3*mixed
      end where
      end subroutine kuo
"""

OTHER = """
module rainmod
  use pumamod
  implicit none
  integer :: icctot(NHOR)
  real :: {name}_part = {part}
end module rainmod

      subroutine {name}
      use rainmod
      implicit none
      integer :: k
      icctot = NLEV
      do k = 1, NLEV
        dtdt(:, k) = dtdt(:, k) + {name}_part*(dt(:, k) + dtdt(:, k)*deltsec2 - 270.0)
        dqdt(:, k) = dqdt(:, k) - {name}_part*(dq(:, k) + dqdt(:, k)*deltsec2)
      end do
      dprc(:) = dprc + 1.0e-3*dp
      dprs(:) = dprs + dprc
      end subroutine {name}

      subroutine rainstep
      use rainmod
      call {name}
      call nothing_of_this_name
      end subroutine rainstep
"""

BETTS_MILLER_PART, ADJUSTMENT_PART = 2.0e-6, -5.0e-7
"""What the stand-in's other schemes take of the temperature above 270 K, and of vapour [s-1]."""

STEP = """
    dtdt = 1.0e-5*sin(real(nstep))
    do k = 1, NLEV
      do i = 1, NHOR
        dqt(i, k) = 2.0e-8*sin(0.41*i + 0.7*k + 1.9*nstep)
        dqdt(i, k) = 1.0e-8*cos(0.23*i + 0.3*nstep)
      end do
    end do
    call radstep()
    call kuo
    dprl = 0.0
    dprc = sum(dprcl, dim=2)*dp/ga/1000.0
    dshfl = icctot + 100.0*sum(icclev, dim=2)
    dlhfl = 1.0e5*sum(dtdt(:, 1:NLEV), dim=2) + 1.0e9*sum(dqdt(:, 1:NLEV), dim=2)
"""


def write_rainy_stand_in(tree: Path) -> Path:
    """Write the stand-in where the source of PlaSim would be; return `tree`.

    What it calls sensible and latent heat tells of the cloud's layers and of the tendencies.
    """
    write_stand_in(tree)
    source = tree / "plasim" / "src"
    (source / "rainmod.f90").write_text(RAIN)
    for file, name, part in (
        ("rainmod_bm.f90", "mkbm", BETTS_MILLER_PART),
        ("rainmod_mca.f90", "mca", ADJUSTMENT_PART),
    ):
        (source / file).write_text(OTHER.format(name=name, part=part))
    for name, old, new in (
        ("radmod.f90", "sigma", "stefan"),
        ("plasimmod.f90", "end module pumamod\n", STATE.lstrip("\n")),
        ("plasim.f90", "    call radstep()\n", STEP.lstrip("\n")),
        (
            "plasim.f90",
            "  use radmod\n",
            "  use radmod\n  use rainmod, only: dprcl, icclev, icctot, n_deep\n",
        ),
        (
            "plasim.f90",
            "  print '(a, i0)'",
            "  print '(a, i0)', 'columns that rained: ', n_deep\n  print '(a, i0)'",
        ),
        ("make_plasim", "plasimmod.o radmod.o plasim.o", "plasimmod.o radmod.o rainmod.o plasim.o"),
        (
            "make_plasim",
            "plasim.o: radmod.o",
            "rainmod.o: plasimmod.o\nplasim.o: radmod.o rainmod.o",
        ),
    ):
        path = source / name
        text = path.read_text()
        assert text.count(old) >= 1
        path.write_text(text.replace(old, new))
    return tree
