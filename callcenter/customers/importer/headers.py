"""Which headers mean what, in the languages that files come in: one line `target = header, header`."""

_COLUMNS = """
name = name, full name, customer, customer name, contact, contact name, display name, client, kunde, nom
name = nombre, 姓名, 名称, 名稱, 客户, 客戶, 客户名称, 客戶名稱, 客户姓名, 客戶姓名, 联系人, 聯絡人
first_name = first name, given name, forename, vorname, prénom, 名, 名字
last_name = last name, family name, surname, nachname, 姓, 姓氏
company = company, company name, organization, organisation, account, account name, firma, entreprise
company = empresa, 公司, 公司名称, 公司名稱, 单位, 單位, 企业, 企業
email = email, e mail, email address, e mail address, mail, correo
email = 邮箱, 電郵, 电子邮件, 电子邮箱, 電子郵件, 邮件
language = language, lang, sprache, langue, idioma, 语言, 語言
address = address, postal address, street address, adresse, anschrift, dirección, 地址, 住址
tags = tags, tag, labels, groups, 标签, 標籤
note = note, notes, comment, comments, remark, remarks, notiz, 备注, 備註, 附注
external_ref = external ref, external id, ref, reference, id, customer id, customer no, customer number
external_ref = account number, kundennummer, 客户编号, 客戶編號, 编号, 編號
"""

_PHONES = """
 = phone, phone number, telephone, telephone number, tel, number, caller id, telefon, téléphone, teléfono
 = rufnummer, 电话, 電話, 电话号码, 電話號碼, 联系电话, 聯絡電話, 号码
mobile = mobile, mobile phone, mobile number, cell, cell phone, cellphone, handy, móvil, portable
mobile = 手机, 手機, 手机号, 手机号码, 手機號碼, 移动电话, 行動電話
work = work, work phone, business phone, office, office phone, 公司电话, 公司電話, 办公电话, 單位電話
home = home, home phone, 家庭电话, 住宅电话, 住宅電話, 宅电
landline = landline, fixed line, festnetz, 固话, 固定电话, 市话, 座机, 市話
fax = fax, fax number, 传真, 傳真
"""


def _by_header(listing: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in listing.strip("\n").splitlines():
        target, _, headers = line.partition("=")
        found |= {header.strip(): target.strip() for header in headers.split(",")}
    return found


TARGET_OF = _by_header(_COLUMNS)
"""Header → what the column is. The owner is not guessed: its values must be agents' log-ins."""

LABEL_OF = _by_header(_PHONES)
"""Header of a phone column → the label that its numbers get."""
