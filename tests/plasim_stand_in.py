"""A tiny model of this project's own with the names that the hooks for PlaSim use."""

from pathlib import Path

STATE = """
module pumamod
  implicit none
  integer, parameter :: NLON = 64, NLPP = 32, NLEV = 10, NLEP = 11, NROOT = 0
  integer, parameter :: NHOR = NLON*NLPP
  integer :: mypid = 0, nstep = 0, ntspd = 4
  real, parameter :: ga = 9.80665
  real :: deglat(NLPP), dsigma(NLEV)
  real, dimension(NHOR, NLEP) :: dt, dq, du, dcc, dql, dftu, dftd, dlwfl, dfu, dfd, dswfl
  real :: dqo3(NHOR, NLEV), dqco2(NHOR, NLEV) = 360.0
  real, dimension(NHOR) :: dp, dls, dicec, dalb, dprc, dprl, dshfl, dlhfl
end module pumamod
"""

RADIATION = """
module radmod
  use pumamod
  implicit none
  real :: gmu0(NHOR), gdist2 = 1.0, gsol0 = 1365.0, zsolar1 = 0.5, zsolar2 = 0.5
  integer :: n_lit = 0
end module radmod

subroutine radstep
  use radmod
  dfu = 0.0
  dfd = 0.0
  call swr      ! a comment that names subroutine lwr
  call lwr
end subroutine radstep

!     subroutine swr
      Subroutine SWR   ! sunlight
      use radmod
      integer :: k
      do k = 1, NLEP
        where (gmu0 > 0.0)
          dfd(:,k) = gsol0*gdist2*gmu0*(1.0 - 0.03*(k - 1))
          dfu(:,k) = -0.5*gmu0*gsol0*(dalb + 0.2*dcc(:, NLEV)) + 0.0*(dt(:, 1) + dp + dls + dicec) &
            + 0.0*(dq(:, 1) + dql(:, 1) + dqo3(:, 1))
        end where
      end do
      where (gmu0 > 0.0 .and. dls < 0.5) dalb = 0.9
      n_lit = n_lit + count(gmu0 > 0.0)
      dswfl(:,:) = dfu + dfd
      end subroutine swr

subroutine lwr
  use radmod
  real, parameter :: sigma = 5.67e-8
  integer :: k
  do k = 1, NLEP
    dftu(:, k) = -sigma*dt(:, k)**4*(1.0 - 0.3*dcc(:, NLEV))
    dftd(:, k) = 0.05*(k - 1)*sigma*dt(:, k)**4 + 0.0*(dql(:, 1) + dqo3(:, 1) + dp + dls) &
      + 100.0*(k - 1)*dq(:, NLEV) + 0.01*(k - 1)*dqco2(:, NLEV)
  end do
  dlwfl(:,:) = dftu + dftd
end subroutine lwr
"""

PROGRAM = """
program plasim
  use radmod
  implicit none
  integer :: n_run_days, first, unit, i, k, status
  integer :: noutput, n_start_year, n_days_per_year, n_run_years, kick, seed(8), nveg, nstpw
  integer :: nocean, newsurf
  real :: mpstep, co2, sea
  namelist /oceanmod_nl/ nocean, newsurf
  namelist /radmod_nl/ co2
  namelist /plasim_nl/ noutput, n_start_year, n_days_per_year, n_run_years, n_run_days, kick, &
    seed, mpstep, nveg, nstpw
  open (newunit=unit, file='plasim_namelist')
  read (unit, nml=plasim_nl)
  close (unit)
  nocean = 1
  open (newunit=unit, file='oceanmod_namelist')
  read (unit, nml=oceanmod_nl)
  close (unit)
  co2 = 360.0
  open (newunit=unit, file='radmod_namelist')
  read (unit, nml=radmod_nl)
  close (unit)
  dqco2 = co2
  sea = 280.0
  if (nocean == 0) then
    open (newunit=unit, file='N032_surf_0169.sra')
    read (unit, '(/, f10.3)') sea
    close (unit)
  end if
  first = 0
  open (newunit=unit, file='plasim_restart', status='old', iostat=status)
  if (status == 0) read (unit, *) first
  dsigma = 1.0/NLEV
  deglat = [(87.0 - 5.6*i, i=0, NLPP - 1)]
  dls = 0.0
  dls(::3) = 1.0
  dicec = 0.0
  dprc = 1e-8
  dprl = 2e-8
  dshfl = -10.0
  dlhfl = -80.0
  do nstep = first + 1, first + n_run_days*ntspd
    do i = 1, NHOR
      dp(i) = 1.0e5 + 1.0e3*sin(0.7*i + nstep)
      dalb(i) = 0.2 + 0.1*sin(1.3*i)
      gmu0(i) = max(0.0, sin(0.0981748*i + 1.570796*nstep))
      do k = 1, NLEP
        dt(i, k) = sea - 60.0 + 6.0*k + 5.0*sin(0.37*i + 0.9*k + 1.1*nstep)
        dq(i, k) = 1.0e-3*k*(1.0 + 0.5*sin(0.21*i + 2.3*nstep))
        du(i, k) = 3.0*k
        dcc(i, k) = 0.5 + 0.5*sin(0.53*i + k + 1.7*nstep)
        dql(i, k) = 1.0e-5*dcc(i, k)
      end do
      dqo3(i, :) = 1.0e-6*(1.0 + 0.1*sin(0.11*i))
    end do
    call radstep()
  end do
  print '(a, i0)', 'columns of sunlight computed: ', n_lit
  open (newunit=unit, file='plasim_status')
  write (unit, *) first + n_run_days*ntspd
end program plasim
"""

MAKEFILE = """
%.o: %.f90
	$(MOST_F90) -c $(MOST_F90_OPTS) $(MOST_PREC) $<

OCEANCOUP = cpl
OBJ = plasimmod.o radmod.o plasim.o

plasim.x: $(OBJ)
	$(MOST_F90) -o plasim.x $(MOST_F90_OPTS) $(OBJ)

radmod.o: plasimmod.o
plasim.o: radmod.o
"""

COMPILER = """
MOST_F90=gfortran
MOST_F90_OPTS=-O1 -cpp -ffree-line-length-none -ffpe-trap=invalid,zero,overflow
"""


def write_stand_in(tree: Path) -> Path:
    """Write the stand-in where the source of PlaSim would be; return `tree`."""
    source = tree / "plasim" / "src"
    data = tree / "plasim" / "dat" / "T21"
    for folder in (source, data):
        folder.mkdir(parents=True)
    (source / "plasimmod.f90").write_text(STATE)
    (source / "radmod.f90").write_text(RADIATION)
    (source / "plasim.f90").write_text(PROGRAM)
    (source / "make_plasim").write_text(MAKEFILE)
    (tree / "most_compiler").write_text(COMPILER)
    (data / "N032_surf_0129.sra").write_text("0\n")
    (data / "N032_surf_0169.sra").write_text("       169\n   280.000\n")
    return tree
