# Adds one entry to the rights on CN=Deleted Objects, which samba-tool dsacl does not find: samba-see-deleted.py CONF DIRECTORY DN ACE
import sys
from samba.auth import system_session
from samba.dcerpc import security
from samba.param import LoadParm
from samba.samdb import SamDB
from samba.sd_utils import SDUtils
conf, url, dn, ace = sys.argv[1:]
lp = LoadParm()
lp.load(conf)
db = SamDB(url=url, session_info=system_session(lp), lp=lp)
sds = SDUtils(db)
shown = ['show_deleted:1']
sd = sds.read_sd_on_dn(dn, controls=shown)
sddl = sd.as_sddl(sds.domain_sid)
at = sddl.index('(')
sds.modify_sd_on_dn(dn, security.descriptor.from_sddl(sddl[:at] + ace + sddl[at:], sds.domain_sid), controls=shown)
