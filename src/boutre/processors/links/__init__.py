"""
Links: record to record, never a merge; what people say of them, the clusters that follow, and who told it first.

    standing = resolve(links, judgements, recalled)
    groups = clusters(standing, judgements, SAME_CRAFT, Limits())
    confirmed = confirmation(group.records, told, edges(standing))

Pure: functions of what one recipient has. Nothing is kept but links and judgements, so that whatever is made of them is undone
when a link is withdrawn.
"""
